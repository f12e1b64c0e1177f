#include "host-bridge/policy/assess.h"

#include <algorithm>

#include "host-bridge/policy/answer.h"
#include "host-bridge/policy/arithmetic.h"
#include "host-bridge/policy/balloon_watch.h"
#include "host-bridge/policy/idle_watch.h"
#include "host-bridge/policy/plug_watch.h"
#include "host-bridge/policy/rules/plug.h"

namespace ballast::policy {
namespace {

bool IsConsistent(const HostReading& reading) {
  const auto is_share = [](int32_t permyriad) { return permyriad >= 0 && permyriad <= 10'000; };
  return reading.total_bytes > 0 && reading.total_bytes <= kLargestSize && reading.available_bytes >= 0 &&
         reading.available_bytes <= reading.total_bytes && is_share(reading.some_permyriad) &&
         is_share(reading.full_permyriad);
}

bool IsConsistent(const VmmReading& reading) {
  return reading.base_bytes > 0 && reading.base_bytes <= kLargestSize && reading.balloon_actual.count >= 0 &&
         reading.balloon_actual.count <= reading.base_bytes;
}

// No more blocks than memory that the guest could have.
bool AreConsistent(const BlockReading& blocks, int64_t reach) {
  return blocks.offline_bytes >= 0 && blocks.movable_bytes >= 0 && blocks.offline_bytes <= reach &&
         blocks.movable_bytes <= reach - blocks.offline_bytes && blocks.room_bytes.value_or(0) >= 0;
}

// A total of twice of what it could have is no reading of this guest, nor are more blocks than that. (What it
// could have, since a report may know of a plugging that the VMM's reading does not.)
bool IsConsistent(const GuestReading& reading, int64_t reach) {
  const auto within = [](int64_t value, int64_t most) { return value >= 0 && value <= most; };
  const auto is_rate = [](int64_t rate) { return rate >= -kLargestRate && rate <= kLargestRate; };
  const auto is_size = [&](Maybe<int64_t> bytes) { return !bytes || within(*bytes, kLargestSize); };
  const bool good_parts = is_size(reading.giveable_bytes) && is_size(reading.zram_left_bytes) &&
                          is_size(reading.zram_stored_bytes) &&
                          (!reading.zram_full_in || (*reading.zram_full_in).count >= 0) &&
                          (!reading.kernel_headroom_bytes || is_rate(*reading.kernel_headroom_bytes)) &&
                          (!reading.blocks || AreConsistent(*reading.blocks, reach));
  return good_parts && reading.total_bytes > 0 && reading.total_bytes <= 2 * reach &&
         within(reading.available_bytes, reading.total_bytes) &&
         within(reading.free_bytes, reading.total_bytes) && within(reading.stall_permyriad, 10'000) &&
         is_rate(reading.consumption_bytes_per_second) && is_rate(reading.refault_bytes_per_second) &&
         reading.oom_kills >= 0;
}

bool SeenWithin(Maybe<MonotonicTime> seen, MonotonicTime now, Nanos dwell) {
  return seen && IsFresh(*seen, now, dwell);
}

// The worst level of `reading`, with limits as they are for entering, or raised by the margin for staying.
HostState HostLevel(const HostReading& reading, int64_t reserve, const PolicyConfig& config, bool entering) {
  const auto bytes = [&](int64_t limit) { return entering ? limit : WithMargin(limit); };
  const auto share = [&](int32_t limit) { return entering ? limit : limit - limit / 5; };
  if (reading.available_bytes < bytes(reserve / 2) ||
      reading.full_permyriad >= share(config.host_full_permyriad)) {
    return HostState::kCritical;
  }
  const int64_t limit = entering ? Add(reserve, config.alignment_bytes) : WithMargin(reserve);
  if (reading.available_bytes < limit || reading.some_permyriad >= share(config.host_some_permyriad)) {
    return HostState::kPressure;
  }
  return HostState::kHealthy;
}

// Times exhaustion_horizon: a balloon that gives more slowly than that is not what saves the guest.
constexpr int64_t kMostHorizons = 8;

// How long the present consumption may go on before it is too late. A balloon that gives hardly faster than
// the guest consumes must be started earlier.
Nanos Horizon(const View& view, int64_t rate, const PolicyConfig& config) {
  if (rate < view.give_bytes_per_second) return config.exhaustion_horizon;  // the usual case, undivided
  const int64_t slowness =
      std::clamp<int64_t>(Add(rate, rate) / view.give_bytes_per_second, 1, kMostHorizons);
  return config.exhaustion_horizon * slowness;
}

bool RunsOut(const View& view, const PolicyConfig& config) {
  const int64_t rate = view.Consumption();
  return EatenWithin(view.reading->available_bytes, rate, Horizon(view, rate, config));
}

// What shall stay empty of the guest's zram: its last part is no capacity, it is the time left to act.
int64_t ZramKept(const GuestReading& reading, const PolicyConfig& config) {
  return ShareOf(Add(*reading.zram_left_bytes, reading.zram_stored_bytes), config.zram_short_permyriad);
}

// Refuses writes, or will before a balloon has given what should have been left of it.
bool ZramEnds(const View& view, const PolicyConfig& config) {
  const GuestReading& reading = *view.reading;
  if (reading.zram_refuses) return true;
  if (!reading.zram_full_in) return false;
  const Nanos pages = {MulDiv(ZramKept(reading, config), 1'000'000'000, view.give_bytes_per_second)};
  return (*reading.zram_full_in).count <= Add(config.actuator_latency.count, pages.count);
}

bool ZramFills(const View& view, const PolicyConfig& config) {
  const GuestReading& reading = *view.reading;
  if (reading.zram_full_in && *reading.zram_full_in <= config.zram_horizon) return true;
  const int64_t missing = Sub(ZramKept(reading, config), *reading.zram_left_bytes);
  if (missing <= 0) return false;
  // What rests in zram may rest there, as long as there is memory for what no longer fits in.
  return reading.zram_full_in ||
         reading.available_bytes < Add(view.thresholds.pressed_available_bytes, missing);
}

// Full zram with plenty available kills nobody: then the kernel has page cache to drop.
void LookAtZram(View& view, const PolicyConfig& config) {
  const GuestReading& reading = *view.reading;
  if (!reading.zram_left_bytes || reading.available_bytes >= view.thresholds.armed_available_bytes) return;
  view.zram_missing =
      std::max<int64_t>(0, Sub(WithMargin(ZramKept(reading, config)), *reading.zram_left_bytes));
  view.zram_fills = ZramFills(view, config);
  view.zram_ends = ZramEnds(view, config);
}

// The kernel cannot be served from a Movable zone, however much is available there.
bool KernelIsShort(const View& view, const PolicyConfig& config) {
  const GuestReading& reading = *view.reading;
  return reading.kernel_headroom_bytes && *reading.kernel_headroom_bytes < config.kernel_short_bytes &&
         reading.stall_permyriad >= config.idle_stall_permyriad;
}

// A balloon that lost pages to the OOM handler says more surely than any number of the guest that it is
// short.
bool IsPressed(const View& view, const PolicyConfig& config) {
  const GuestReading& reading = *view.reading;
  const bool stalls = reading.stall_permyriad >= config.pressed_stall_permyriad &&
                      reading.available_bytes < view.thresholds.armed_available_bytes;
  const bool thrashes = reading.refault_bytes_per_second >= config.pressed_refault_bytes_per_second &&
                        view.actual > view.least_balloon;
  return reading.available_bytes < view.thresholds.pressed_available_bytes || stalls || thrashes ||
         view.self_shrunk || view.zram_fills || view.kernel_short;
}

GuestState GuestLevel(const View& view, const PolicyConfig& config) {
  if (view.reading->available_bytes < view.thresholds.critical_available_bytes || RunsOut(view, config) ||
      view.zram_ends)
    return GuestState::kCritical;
  if (IsPressed(view, config)) return GuestState::kPressed;
  const int64_t size = view.base - view.actual;
  return view.used < ShareOf(size, config.idle_used_permyriad) ? GuestState::kIdle : GuestState::kComfortable;
}

// The same with limits raised by the margin: a state is not left at the limit it was entered at.
GuestState StayingLevel(const View& view, GuestState before) {
  const int64_t available = view.reading->available_bytes;
  if (before == GuestState::kCritical && available < WithMargin(view.thresholds.critical_available_bytes))
    return GuestState::kCritical;
  if (before >= GuestState::kPressed && available < WithMargin(view.thresholds.pressed_available_bytes))
    return GuestState::kPressed;
  return GuestState::kIdle;
}

GuestState WithDwell(GuestState level, GuestHistory& history, Nanos dwell, MonotonicTime now) {
  if (level >= GuestState::kComfortable) history.comfortable_seen = now;
  if (level >= GuestState::kPressed) history.pressed_seen = now;
  if (level >= GuestState::kCritical) history.critical_seen = now;
  if (SeenWithin(history.critical_seen, now, dwell)) return GuestState::kCritical;
  if (SeenWithin(history.pressed_seen, now, dwell)) return GuestState::kPressed;
  if (SeenWithin(history.comfortable_seen, now, dwell)) return GuestState::kComfortable;
  return GuestState::kIdle;
}

// With deflate-on-oom MemTotal keeps the balloon's pages and counts them as used; without, MemTotal shrinks
// with it.
int64_t UsableBytes(const GuestReading& reading, const View& view, const PolicyConfig& config) {
  const bool keeps_balloon = reading.total_bytes > Add(view.base - view.actual, config.alignment_bytes);
  return keeps_balloon ? std::max<int64_t>(0, reading.total_bytes - view.actual) : reading.total_bytes;
}

// Why the report is not to be used; unset when it is good.
std::optional<Hold::Why> WhyNotHeard(const GuestFacts& facts, int64_t reach, const PolicyConfig& config,
                                     MonotonicTime now) {
  if (!facts.report) return Hold::Why::kNoReport;
  if (!IsFresh(facts.report->at, now, config.report_max_age)) return Hold::Why::kStaleReport;
  if (!IsConsistent(facts.report->value, reach)) return Hold::Why::kBadReading;
  return std::nullopt;
}

// A guest that is neither pressed nor about to be by its agent's word reports seldom, but at once when that
// changes. One that would have eaten everything by now and has said no more has stopped.
bool HasStopped(const Sampled<GuestReading>& report, const View& view, MonotonicTime now) {
  const GuestReading& reading = report.value;
  if (reading.consumption_bytes_per_second <= 0) return false;
  const bool calm = !reading.pressure_onset &&
                    reading.available_bytes >= view.thresholds.pressed_available_bytes &&
                    reading.available_bytes > 0;
  // A guest that did not run has eaten nothing meanwhile.
  const MonotonicTime since =
      std::max(report.at, view.facts->resumed_at ? *view.facts->resumed_at : report.at);
  return calm &&
         EatenWithin(reading.available_bytes, reading.consumption_bytes_per_second, Elapsed(since, now));
}

void Hear(const Sampled<GuestReading>& report, View& view, GuestHistory& history, const PolicyConfig& config,
          MonotonicTime now) {
  history.silent_since.reset();
  view.heard = true;
  view.reading = &report.value;
  view.report_age = {std::max<int64_t>(0, Elapsed(report.at, now).count)};
  const int64_t usable = UsableBytes(report.value, view, config);
  view.thresholds = ThresholdsFor(usable, config);
  view.used = std::max<int64_t>(0, usable - report.value.available_bytes);
  view.fall_is_over = HasStopped(report, view, now);
  LookAtZram(view, config);
  view.kernel_short = KernelIsShort(view, config);
  view.level = GuestLevel(view, config);
  const GuestState staying = std::max(view.level, StayingLevel(view, history.state));
  view.state = WithDwell(staying, history, config.leave_dwell, now);
  const bool cooling =
      history.last_inflate &&
      (Elapsed(*history.last_inflate, now) < config.inflate_cooldown || report.at <= *history.last_inflate);
  view.may_take = !cooling && now >= history.inflate_blocked_until;
  WatchIdle(view, history, config, now);
}

void Miss(const GuestFacts& facts, Hold::Why why, View& view, GuestHistory& history,
          const PolicyConfig& config, MonotonicTime now) {
  const bool was_heard = facts.report || history.state != GuestState::kSilent || history.silent_since;
  if (!was_heard) return;  // a bridge that has just started owes nothing to a guest it does not know
  view.missed = true;
  history.calm_since.reset();
  if (!history.silent_since || *history.silent_since > now) history.silent_since = now;
  const bool dated = why == Hold::Why::kStaleReport && facts.report->at <= now;
  MonotonicTime silent_from = dated ? facts.report->at : *history.silent_since;
  // A guest that did not run could not speak.
  if (facts.resumed_at && *facts.resumed_at <= now) silent_from = std::max(silent_from, *facts.resumed_at);
  view.report_age = Elapsed(silent_from, now);
  view.lease_over = view.report_age > config.lease;
}

// The reason why nothing can be done whatever the guest says; unset when something can.
std::optional<Hold::Why> WhyUnmanaged(const GuestFacts& facts, const PolicyConfig& config,
                                      MonotonicTime now) {
  if (!facts.vmm || !IsFresh(facts.vmm->at, now, config.vmm_max_age)) return Hold::Why::kNoVmm;
  if (!facts.vmm->value.running) return Hold::Why::kNotRunning;
  if (!IsConsistent(facts.vmm->value)) return Hold::Why::kBadReading;
  return std::nullopt;
}

// `base`: boot memory and all that is plugged. The VMM's own base may be less, and is all the balloon can
// take from.
void FillView(const GuestFacts& facts, const ResolvedLimits& limits, int64_t base, View& view) {
  view.facts = &facts;
  view.base = base;
  const int64_t reachable = facts.vmm->value.base_bytes;
  view.actual = facts.vmm->value.balloon_actual.count;
  const int64_t commanded = facts.history.target.value_or(BalloonBytes{view.actual}).count;
  view.target = std::clamp<int64_t>(commanded, 0, reachable);
  view.least_balloon = std::clamp<int64_t>(base - limits.ceiling, 0, reachable);
  view.most_balloon = std::clamp<int64_t>(base - limits.floor, 0, reachable);
  view.baseline_balloon = std::clamp<int64_t>(base - limits.baseline, 0, reachable);
}

}  // namespace

Nanos LongestHorizon(const PolicyConfig& config) {
  return std::max(config.exhaustion_horizon * kMostHorizons, config.plug_horizon);
}

GuestThresholds ThresholdsFor(int64_t usable_bytes, const PolicyConfig& config) {
  const int64_t total = std::max<int64_t>(0, usable_bytes);
  GuestThresholds thresholds;
  thresholds.armed_available_bytes = total / 2;
  const auto bounded = [total](int32_t permyriad, int64_t least, int64_t most, int64_t cap) {
    return std::min(cap, std::min(most, std::max(least, ShareOf(total, permyriad))));
  };
  thresholds.pressed_available_bytes = bounded(config.pressed_permyriad, config.pressed_min_bytes,
                                               config.pressed_max_bytes, thresholds.armed_available_bytes);
  thresholds.critical_available_bytes =
      bounded(config.critical_permyriad, config.critical_min_bytes, config.critical_max_bytes,
              thresholds.pressed_available_bytes);
  return thresholds;
}

std::optional<ResolvedLimits> ResolveLimits(const GuestLimits& limits, int64_t boot, int64_t reach) {
  const int64_t ceiling =
      limits.ceiling_bytes.value_or(std::max(reach, limits.baseline_bytes.value_or(boot)));
  const int64_t baseline = limits.baseline_bytes.value_or(std::min(boot, ceiling));
  const int64_t floor = limits.floor_bytes.value_or(std::min(std::max(boot / 4, 128 * kMiB), baseline));
  const bool ordered = 0 <= floor && floor <= baseline && baseline <= ceiling;
  if (!ordered || ceiling <= 0 || limits.weight < 1 || limits.weight > 10'000) return std::nullopt;
  return ResolvedLimits{std::min(floor, reach), std::min(baseline, reach), std::min(ceiling, reach)};
}

HostView AssessHost(const Snapshot& snapshot, const PolicyConfig& config, MonotonicTime now) {
  HostView host{.history = snapshot.host_history};
  HostHistory& history = host.history;
  HostState state = HostState::kUnknown;
  if (snapshot.host && IsFresh(snapshot.host->at, now, config.host_max_age) &&
      IsConsistent(snapshot.host->value)) {
    const HostReading& reading = snapshot.host->value;
    host.known = true;
    host.available = reading.available_bytes;
    const int64_t share = ShareOf(reading.total_bytes, config.host_reserve_permyriad);
    // On a host smaller than the smallest reserve half of it still goes to guests.
    host.reserve = std::min(std::max(share, config.host_reserve_min_bytes), reading.total_bytes / 2);
    const HostState entered = HostLevel(reading, host.reserve, config, /*entering=*/true);
    const HostState stayed =
        std::min(history.state, HostLevel(reading, host.reserve, config, /*entering=*/false));
    const HostState level = std::max(entered, stayed);
    if (level >= HostState::kPressure) history.pressure_seen = now;
    if (level >= HostState::kCritical) history.critical_seen = now;
    state = HostState::kHealthy;
    if (SeenWithin(history.pressure_seen, now, config.leave_dwell)) state = HostState::kPressure;
    if (SeenWithin(history.critical_seen, now, config.leave_dwell)) state = HostState::kCritical;
  }
  if (state != history.state) history.state_since = now;
  history.state = state;
  return host;
}

bool AssessGuest(const GuestFacts& facts, HostState host_state, const PolicyConfig& config, MonotonicTime now,
                 View& view, GuestHistory& history, std::optional<Hold::Why>& hold) {
  hold.reset();
  if (facts.limits.mode == Mode::kOff) return false;
  hold = WhyUnmanaged(facts, config, now);
  if (hold) return false;
  const PlugReading* plug = BelievedPlug(facts.vmm->value);
  const int64_t base = facts.vmm->value.base_bytes + (plug != nullptr ? plug->outside_base_bytes : 0);
  const int64_t boot = base - (plug != nullptr ? plug->plugged_bytes : 0);
  const int64_t reach = boot + (plug != nullptr ? plug->most_bytes : 0);
  const auto limits = ResolveLimits(facts.limits, boot, reach);
  if (!limits) {
    hold = Hold::Why::kBadLimits;
    return false;
  }
  FillView(facts, *limits, base, view);
  view.host_state = host_state;
  view.asks = IsOpen(facts, now);
  WatchBalloon(view, history, config, now);
  hold = WhyNotHeard(facts, reach, config, now);
  if (hold) {
    Miss(facts, *hold, view, history, config, now);
  } else {
    Hear(*facts.report, view, history, config, now);
  }
  if (plug != nullptr) {
    WatchPlug(*plug, limits->ceiling, limits->floor, view, history, config, now);
    if (!hold) hold = WhyNotPlugged(view, config);
  } else if (facts.vmm->value.plug) {
    if (!hold) hold = Hold::Why::kBadReading;  // of what is plugged; the rest is believed
  } else {
    history.plug.reset();
  }
  if (view.state != history.state) history.state_since = now;
  history.state = view.state;
  return true;
}

}  // namespace ballast::policy
