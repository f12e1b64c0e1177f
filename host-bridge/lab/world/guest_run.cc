#include "host-bridge/lab/world/guest_run.h"

#include <algorithm>

#include "host-bridge/policy/arithmetic.h"

namespace ballast::sim {
namespace {

// The period QEMU's users set for the balloon's statistics (libvirt's and Proxmox VE's: 2 s or more).
constexpr Nanos kStatisticsPeriod = Seconds(2);
// A VM that the host's kernel killed is started again by its supervisor.
constexpr Nanos kRestartAfter = Seconds(60);
constexpr Nanos kLongStep = Seconds(10);
// The bridge's: between two looks that nobody rang for.
constexpr Nanos kTick = Seconds(1);
// MemAvailable below this part of usable memory: 2 %.
constexpr int64_t kStarvedPart = 50;

GuestSpec SpecOf(const GuestPlan& plan, DeviceChoice choice) {
  GuestSpec spec{plan.boot_bytes, plan.zram_bytes, plan.device, plan.swaps_early_permyriad};
  spec.device.deflate_on_oom = choice.deflate_on_oom;
  spec.device.free_page_reporting = choice.free_page_reporting;
  return spec;
}

// The next multiple of `step` since `began`, later than `now`: guests that step alike are looked at together.
MonotonicTime NextOnGrid(MonotonicTime began, MonotonicTime now, Nanos step) {
  return began + step * ((now - began).count / step.count + 1);
}

}  // namespace

GuestRun::GuestRun(const GuestPlan& plan, const policy::PolicyConfig& policy, DeviceChoice device,
                   MonotonicTime began)
    : plan_(&plan),
      model_(SpecOf(plan, device)),
      agent_(policy),
      soon_(policy::LongestHorizon(policy) + kTick),
      workload_(plan.workload()),
      began_(began),
      at_(began),
      due_(began),
      segment_end_(began + plan.starts_at),
      boots_at_(began + plan.starts_at) {
  for (const GuestEvent& event : plan.events) {
    changes_.push_back({began + event.at, &event, true});
    changes_.push_back({began + event.at + event.length, &event, false});
  }
  std::stable_sort(changes_.begin(), changes_.end(),
                   [](const Change& a, const Change& b) { return a.at < b.at; });
}

SimulatedAgent::Word GuestRun::AdvanceTo(MonotonicTime now, int64_t spare, GuestSight& sight,
                                         Measures& measures) {
  Pass(now, spare, measures);
  Happen(now);
  Show(now, sight);
  Schedule(now);
  const SimulatedAgent::Word word = Listen(now, sight);
  WaitForAgent(now);
  return word;
}

void GuestRun::Pass(MonotonicTime now, int64_t spare, Measures& measures) {
  const Nanos span = now - at_;
  at_ = now;
  if (span.count <= 0 || !model_.on()) return;
  if (troubles_.paused == 0) model_.Advance(span);
  Measure(span, spare, measures);
}

void GuestRun::Measure(Nanos span, int64_t spare, Measures& measures) {
  const GuestMemory& memory = model_.memory();
  const double seconds = static_cast<double>(span.count) * 1e-9;
  const int64_t resident = memory.resident();
  const int64_t used = memory.used();
  measures.resident_byte_seconds += 0.5 * seconds * static_cast<double>(resident_ + resident);
  measures.used_byte_seconds += 0.5 * seconds * static_cast<double>(used_ + used);
  resident_ = resident;
  used_ = used;
  if (troubles_.paused > 0) return;
  measures.guest_time = measures.guest_time + span;
  const GuestCounters& counters = model_.counters();
  measures.stalled.count += counters.stalled_ns - stalled_ns_;
  stalled_ns_ = counters.stalled_ns;
  if (counters.oom_kills > kills_) {
    measures.guest_oom_kills += counters.oom_kills - kills_;
    if (counters.unmet_at_kill <= spare) ++measures.kills_with_headroom;
    kills_ = counters.oom_kills;
  }
  const int64_t missing = model_.usable() / kStarvedPart - model_.available();
  const bool starves = missing > 0;
  if (starves || starves_) {
    const Nanos lasted = starves == starves_ ? span : span / 2;
    measures.starved = measures.starved + lasted;
    // Whose fault the end of a shortage was is what it was at the last look into it.
    if (starves) starved_by_us_ = memory.balloon() >= missing && spare >= missing;
    if (starved_by_us_) measures.starved_by_us = measures.starved_by_us + lasted;
  }
  starves_ = starves;
}

void GuestRun::Happen(MonotonicTime now) {
  if (!model_.on() && now >= boots_at_) {
    model_.Boot();
    agent_.Restart();
    rebooted_ = started_;
    started_ = true;
    resident_ = model_.memory().resident();
    used_ = model_.memory().used();
  }
  for (; next_change_ < changes_.size() && changes_[next_change_].at <= now; ++next_change_) {
    Apply(changes_[next_change_], now);
  }
  if (troubles_.paused == 0) NextSegments(now);
}

void GuestRun::Apply(const Change& change, MonotonicTime now) {
  const int step = change.begins ? 1 : -1;
  switch (change.event->kind) {
    case GuestEvent::Kind::kPause:
      troubles_.paused += step;
      if (change.begins && troubles_.paused == 1) paused_at_ = now;
      if (troubles_.paused == 0) segment_end_ = segment_end_ + (now - paused_at_);
      break;
    case GuestEvent::Kind::kReset:
      if (!change.begins || !model_.on()) break;
      model_.Boot();
      agent_.Restart();
      rebooted_ = true;
      break;
    case GuestEvent::Kind::kAgentSilent:
      troubles_.agent_silent += step;
      break;
    case GuestEvent::Kind::kAgentLies:
      troubles_.lies += step;
      if (change.begins) lie_ = change.event->value;
      break;
    case GuestEvent::Kind::kStatsSentinel:
      troubles_.sentinel += step;
      break;
    case GuestEvent::Kind::kVmmSilent:
      troubles_.vmm_silent += step;
      break;
    case GuestEvent::Kind::kBalloonStuck:
      troubles_.stuck += step;
      model_.SetStuck(troubles_.stuck > 0);
      break;
    case GuestEvent::Kind::kBalloonPartial:
      troubles_.partial += step;
      model_.SetPartial(troubles_.partial > 0);
      break;
  }
}

// Programs keep the time of the world, also while their guest boots: what they do depends on no controller.
void GuestRun::NextSegments(MonotonicTime now) {
  while (segment_end_ <= now) {
    const Segment segment = workload_->Next();
    segment_end_ = segment_end_ + std::max(segment.length, Milliseconds(1));
    model_.StartSegment(segment);
  }
}

void GuestRun::Show(MonotonicTime now, GuestSight& sight) {
  if (rebooted_) sight.rebooted = true;
  rebooted_ = false;
  const bool up = model_.on();
  sight.vmm_answers = up && troubles_.vmm_silent == 0;
  sight.running = up && troubles_.paused == 0;
  sight.resident_bytes = model_.memory().resident();
  if (!up) sight.report.reset();
  if (!sight.vmm_answers) return;
  sight.balloon_bytes = model_.memory().balloon();
  sight.target_bytes = model_.target();
  sight.plugged_bytes = model_.plugged();
  sight.plug_requested_bytes = model_.plug_requested();
  ShowStatistics(now, sight);
}

void GuestRun::ShowStatistics(MonotonicTime now, GuestSight& sight) {
  const bool first = sight.stats_at < began_;
  if (!model_.booted() || troubles_.paused > 0 || (!first && now - sight.stats_at < kStatisticsPeriod))
    return;
  sight.stats_at = now;
  if (troubles_.sentinel > 0) {
    sight.total_bytes = sight.available_bytes = sight.free_bytes = sight.cache_bytes = -1;
    sight.swap_used_bytes = sight.major_faults = -1;
    return;
  }
  const GuestMemory& memory = model_.memory();
  sight.total_bytes = model_.total();
  sight.available_bytes = model_.available();
  sight.free_bytes = memory.free();
  sight.cache_bytes = memory.cache();
  sight.swap_used_bytes = memory.swapped();
  sight.major_faults = model_.counters().major_faults;
}

SimulatedAgent::Word GuestRun::Listen(MonotonicTime now, GuestSight& sight) {
  if (!model_.booted() || troubles_.paused > 0) return SimulatedAgent::Word::kNothing;
  const SimulatedAgent::Word word = agent_.Sample(model_, now, due_);
  // What a bridge cannot believe it drops, so that the last good report stays.
  if (word == SimulatedAgent::Word::kNothing || troubles_.agent_silent > 0 || troubles_.sentinel > 0) {
    return SimulatedAgent::Word::kNothing;
  }
  policy::GuestReading reading = agent_.reading();
  if (troubles_.lies > 0) {
    reading.available_bytes = std::clamp<int64_t>(lie_, 0, reading.total_bytes);
    reading.free_bytes = std::min(reading.free_bytes, reading.available_bytes);
    reading.consumption_bytes_per_second = 0;
  }
  sight.report = {reading, now < jumped_until_ ? now + jumped_by_ : now};
  const bool soon_eaten =
      policy::EatenWithin(reading.available_bytes, reading.consumption_bytes_per_second, soon_);
  return soon_eaten ? SimulatedAgent::Word::kUrgent : word;
}

void GuestRun::Schedule(MonotonicTime now) {
  const bool moves = model_.on() && troubles_.paused == 0;
  Nanos step = kLongStep;
  if (moves) step = model_.GoodStep(agent_.thresholds().pressed_available_bytes);
  due_ = NextOnGrid(began_, now, step);
  busy_ = step < kLongStep;
  if (troubles_.paused == 0) due_ = std::min(due_, segment_end_);
  if (!model_.on()) due_ = boots_at_;
  if (next_change_ < changes_.size()) due_ = std::min(due_, changes_[next_change_].at);
}

// A change that was not yet told is told at the agent's own time, also when nothing else happens by then.
void GuestRun::WaitForAgent(MonotonicTime now) {
  if (!model_.booted() || troubles_.paused > 0) return;
  const std::optional<MonotonicTime> speaks = agent_.speaks_at();
  if (!speaks || *speaks >= due_) return;
  due_ = std::min(due_, std::max(*speaks, now + Milliseconds(10)));
  busy_ = true;
}

bool GuestRun::SetTarget(int64_t balloon_bytes) {
  if (!model_.on() || troubles_.vmm_silent > 0) return false;
  model_.SetTarget(balloon_bytes);
  return true;
}

bool GuestRun::SetPlugged(int64_t bytes) {
  if (!model_.on() || troubles_.vmm_silent > 0) return false;
  model_.SetPlugged(bytes);
  return true;
}

void GuestRun::KillVmm(MonotonicTime now) {
  model_.PowerOff();
  boots_at_ = now + kRestartAfter;
  resident_ = used_ = 0;
  starves_ = false;
  due_ = now + Milliseconds(1);
}

void GuestRun::ClockJumped(MonotonicTime until, Nanos ahead) {
  jumped_until_ = until;
  jumped_by_ = ahead;
}

}  // namespace ballast::sim
