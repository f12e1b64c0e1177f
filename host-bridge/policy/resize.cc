#include "host-bridge/policy/resize.h"

#include <algorithm>
#include <cstdlib>

#include "common/base/size_text.h"
#include "host-bridge/policy/arithmetic.h"
#include "host-bridge/policy/assess.h"
#include "host-bridge/policy/plug_watch.h"

namespace ballast::policy {
namespace {

struct Parts {
  int64_t boot = 0;
  int64_t reach = 0;    // boot and all that could be plugged
  int64_t balloon = 0;  // as commanded, or as it is
  int64_t plugged = 0;  // as requested
  int64_t most = 0;
  int64_t unit = 1;
};

Parts PartsOf(const GuestFacts& facts) {
  const VmmReading& vmm = facts.vmm->value;
  Parts parts;
  parts.balloon = vmm.balloon_actual.count;
  parts.boot = parts.reach = vmm.base_bytes;
  if (const PlugReading* plug = BelievedPlug(vmm)) {
    parts.plugged = plug->requested_bytes;
    parts.most = plug->most_bytes;
    parts.unit = plug->unit_bytes;
    parts.boot = Sub(vmm.base_bytes, Sub(plug->plugged_bytes, plug->outside_base_bytes));
    parts.reach = Add(parts.boot, parts.most);
  }
  return parts;
}

// The balloon cannot hold plugged memory and more.
int64_t SizeOf(const Parts& parts) { return parts.boot + parts.plugged - parts.balloon; }

void Step(ResizeKind kind, int64_t& from, int64_t to, ResizePlan& plan) {
  if (from == to) return;
  plan.steps.push_back({kind, from, to});
  from = to;
}

// `spare`: of the host, for all steps together.
void Grow(Parts& parts, int64_t size, int64_t spare, int64_t alignment, ResizePlan& plan) {
  const int64_t before = SizeOf(parts);
  const int64_t from_balloon = std::clamp<int64_t>(size - before, 0, parts.balloon);
  Step(ResizeKind::kBalloon, parts.balloon, AlignDown(parts.balloon - from_balloon, alignment), plan);
  const int64_t left = std::max<int64_t>(0, spare - (SizeOf(parts) - before));
  const int64_t rest = AlignUp(std::max<int64_t>(0, size - SizeOf(parts)), parts.unit);
  const int64_t more = std::min(rest, AlignDown(left, parts.unit));
  Step(ResizeKind::kPlug, parts.plugged, std::max(parts.plugged, std::min(parts.plugged + more, parts.most)),
       plan);
}

// What cannot leave the balloon takes.
void Shrink(Parts& parts, int64_t size, int64_t alignment, const Unpluggable& unpluggable, ResizePlan& plan) {
  const int64_t wanted = std::clamp<int64_t>(SizeOf(parts) - size, 0, parts.plugged);
  const int64_t leaves =
      unpluggable ? std::clamp<int64_t>(unpluggable(wanted), 0, wanted) : AlignDown(wanted, parts.unit);
  Step(ResizeKind::kUnplug, parts.plugged, parts.plugged - leaves, plan);
  const int64_t rest = AlignDown(std::max<int64_t>(0, SizeOf(parts) - size), alignment);
  Step(ResizeKind::kBalloon, parts.balloon, parts.balloon + rest, plan);
}

// What the host can spare; nothing when it is not known.
int64_t SpareOf(const Snapshot& snapshot, const PolicyConfig& config, MonotonicTime now) {
  const HostView host = AssessHost(snapshot, config, now);
  return host.known ? std::max<int64_t>(0, Sub(host.available, host.reserve)) : 0;
}

std::string WhyRefused(const GuestFacts& facts, const PolicyConfig& config, MonotonicTime now) {
  if (facts.limits.mode == Mode::kObserve || facts.limits.mode == Mode::kOff)
    return "its mode is observe: nothing is done to it";
  if (!facts.vmm || !IsFresh(facts.vmm->at, now, config.vmm_max_age)) return "its VMM does not answer";
  if (!facts.vmm->value.running) return "it is not running";
  return "";
}

}  // namespace

int64_t SizeOf(const VmmReading& reading) {
  const PlugReading* plug = BelievedPlug(reading);
  return Sub(Add(reading.base_bytes, plug != nullptr ? plug->outside_base_bytes : 0),
             reading.balloon_actual.count);
}

std::variant<ResizePlan, ResizeRefused> PlanResize(const Snapshot& snapshot, size_t guest, int64_t size_bytes,
                                                   const PolicyConfig& config, MonotonicTime now,
                                                   const Unpluggable& unpluggable) {
  const GuestFacts& facts = snapshot.guests[guest];
  if (std::string why = WhyRefused(facts, config, now); !why.empty()) return why;
  Parts parts = PartsOf(facts);
  const auto limits = ResolveLimits(facts.limits, parts.boot, parts.reach);
  if (!limits) return "its limits contradict one another";
  ResizePlan plan{.from_bytes = SizeOf(parts)};
  int64_t size = std::clamp(size_bytes, limits->floor, limits->ceiling);
  if (size > size_bytes) plan.limit = "its floor is " + FormatSize(limits->floor);
  if (size < size_bytes) {
    const bool chosen = limits->ceiling < parts.reach;
    plan.limit = (chosen ? "its ceiling is " : "its VM has slots and room for no more than ") +
                 FormatSize(limits->ceiling);
  }
  if (size > plan.from_bytes) {
    const int64_t spare = SpareOf(snapshot, config, now);
    if (size - plan.from_bytes > spare) {
      size = plan.from_bytes + AlignDown(spare, config.alignment_bytes);
      plan.limit = "the host can spare " + FormatSize(spare) + " above its reserve";
    }
    // A whole unit may be more than was wished for, but not more than the ceiling.
    parts.most =
        std::min(parts.most, AlignDown(std::max<int64_t>(0, limits->ceiling - parts.boot), parts.unit));
    Grow(parts, size, spare, config.alignment_bytes, plan);
  } else {
    Shrink(parts, size, config.alignment_bytes, unpluggable, plan);
  }
  plan.to_bytes = SizeOf(parts);
  if (plan.to_bytes != size_bytes && plan.limit.empty()) {
    plan.limit = std::abs(Sub(plan.to_bytes, size_bytes)) < config.alignment_bytes
                     ? "a balloon moves in units of " + FormatSize(config.alignment_bytes)
                     : "memory is plugged in units of " + FormatSize(parts.unit);
  }
  return plan;
}

void NoteBalloonCommand(const GuestFacts& facts, BalloonBytes target, MonotonicTime now,
                        GuestHistory& history) {
  const int64_t actual = facts.vmm ? facts.vmm->value.balloon_actual.count : target.count;
  if (target.count > history.target.value_or(BalloonBytes{actual}).count) history.last_inflate = now;
  history.target = target;
  history.progress_since = now;
  history.progress_actual = {actual};
  history.idle_step = {};
}

void NotePlugCommand(const GuestFacts& facts, int64_t target_bytes, MonotonicTime now,
                     GuestHistory& history) {
  const PlugReading* plug = facts.vmm ? BelievedPlug(facts.vmm->value) : nullptr;
  if (plug == nullptr) return;
  if (!history.plug) history.plug.emplace();
  PlugHistory& past = *history.plug;
  const bool grows = target_bytes >= plug->requested_bytes;
  // What a rule has commanded reaches farther, and is still expected.
  if (grows && past.target && *past.target >= target_bytes) return;
  if (!grows) history.last_inflate = now;
  past.target = target_bytes;
  past.from_bytes = plug->requested_bytes;
  NoteBefore(facts.report ? &facts.report->value : nullptr, past);
  past.moved_at = now;
  past.unplug_step_bytes = 0;
  history.idle_step = {};
}

void ForgetPlugCommand(int64_t target_bytes, GuestHistory& history) {
  if (history.plug && history.plug->target == Maybe(target_bytes)) history.plug->target.reset();
}

}  // namespace ballast::policy
