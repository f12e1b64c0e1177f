#include "host-bridge/lab/model/guest_model.h"

#include <algorithm>

#include "host-bridge/lab/model/flow.h"
#include "host-bridge/lab/model/kernel_numbers.h"

namespace ballast::sim {

GuestModel::GuestModel(const GuestSpec& spec) : spec_(spec), memory_(spec.boot_bytes) { memory_.Vacate(); }

void GuestModel::Boot() {
  memory_.Reset();
  on_ = true;
  boot_left_ = kBootTime;
  evicted_hot_ = oom_owed_ = refault_rate_ = stall_permyriad_ = steady_stall_permyriad_ = 0;
  exhausted_for_ = since_report_pass_ = {};
  killed_ = shrank_by_itself_ = settled_ = false;
}

void GuestModel::PowerOff() {
  memory_.Vacate();
  on_ = false;
  target_ = halfway_ = plug_requested_ = plugged_ = plug_peak_ = 0;
  settled_ = true;
  refault_rate_ = stall_permyriad_ = steady_stall_permyriad_ = 0;
}

void GuestModel::StartSegment(const Segment& segment) {
  segment_ = segment;
  killed_ = false;
  settled_ = false;
  const int64_t excess = memory_.hot() - segment.hot_cache_bytes;
  if (excess > 0) memory_.HotToCold(excess);
  evicted_hot_ = std::min(evicted_hot_, std::max<int64_t>(0, segment.hot_cache_bytes - memory_.hot()));
  if (segment.drops_cache) {
    memory_.HotToFree(memory_.hot());
    memory_.ColdToFree(memory_.cold());
    evicted_hot_ = 0;
  }
}

void GuestModel::SetTarget(int64_t balloon_bytes) {
  target_ = std::clamp<int64_t>(balloon_bytes, 0, memory_.boot());
  shrank_by_itself_ = false;
  settled_ = false;
  const int64_t relief = memory_.balloon() - target_;
  halfway_ = partial_ && relief > 0 ? target_ + relief / 2 : target_;
}

void GuestModel::SetStuck(bool stuck) {
  stuck_ = stuck;
  settled_ = false;
}

// What can be had without anybody waiting.
int64_t GuestModel::EasyRoom() const {
  return std::max<int64_t>(0, memory_.free() - memory_.min_watermark()) + memory_.cache();
}

int64_t GuestModel::Swappable() const {
  const int64_t held = memory_.anon() + memory_.swapped();
  const int64_t most = std::min(spec_.zram_bytes, held / kWholeShare * kSwappablePermyriad);
  return std::max<int64_t>(0, most - memory_.swapped());
}

void GuestModel::Advance(Nanos span) {
  if (!on_) return;
  if (boot_left_.count > 0) {
    const Nanos booting = std::min(boot_left_, span);
    boot_left_ = boot_left_ - booting;
    span = span - booting;
  }
  while (span.count > 0) {
    if (settled_) {
      Feel(span, {});
      return;
    }
    const Nanos step = std::min(span, SubStep(span));
    Step(step);
    span = span - step;
  }
}

// Short where the order of events within the step decides.
Nanos GuestModel::SubStep(Nanos left) const {
  Nanos step = std::min(left, kLongestSubStep);
  const int64_t missing = AnonMissing();
  const int64_t unread =
      segment_.hot_reads_bytes_per_second > 0 ? segment_.hot_cache_bytes - memory_.hot() : 0;
  if (evicted_hot_ > 0 || unread > memory_.free() + memory_.cold()) step = std::min(step, kReadBackStep);
  if (missing == 0) return step;
  if (balloon_moves() || plug_moves()) step = std::min(step, kRaceStep);
  const int64_t speed = segment_.anon_bytes_per_second > 0 ? segment_.anon_bytes_per_second : kTouchSpeed;
  const int64_t room = EasyRoom();
  if (room >= missing) return step;
  if (room > 0) return std::min(step, std::max(kExhaustionStep, TimeFor(room, speed)));
  return std::min(step, kExhaustionStep);
}

void GuestModel::Step(Nanos span) {
  Strain strain;
  if (plug_moves()) FollowPlug(span, strain);
  Deflate(span, strain);
  ShrinkAnon(strain);
  GrowAnon(span, strain);
  TouchSwapped(span, strain);
  ReadHot(span, strain);
  ReadCold(span, strain);
  Inflate(span, strain);
  ReportFree(span, strain);
  Strained(span, strain);
  Feel(span, strain);
  // In a very short step even a flow that goes on may come to nothing.
  settled_ = !strain.moved && span >= kLeastToSettle;
}

void GuestModel::Strained(Nanos span, const Strain& strain) {
  refault_rate_ = steady_stall_permyriad_ = 0;
  if (strain.refaulted == 0 && strain.swapped_in == 0 && strain.waited_ns == 0) return;
  // Divisions are what a step of a thrashing guest costs: none of nothing.
  if (strain.refaulted > 0) {
    refault_rate_ = strain.refaulted * kMicrosecondsPerSecond / std::max<int64_t>(1, span.count / 1'000);
  }
  const int64_t waits = strain.refaulted / kPage * kRefaultNanos + strain.swapped_in / kPage * kSwapInNanos;
  // The chance that none of the tasks waits is that of one, to their number.
  int64_t none = kWholeShare;
  if (waits > 0) {
    const int64_t busy = std::min(kWholeShare, waits / kTasks * kWholeShare / span.count);
    for (int64_t task = 0; task < kTasks; ++task) none = none * (kWholeShare - busy) / kWholeShare;
  }
  const int64_t waited =
      strain.waited_ns > 0 ? std::min(kWholeShare, strain.waited_ns * kWholeShare / span.count) : 0;
  steady_stall_permyriad_ = std::max(kWholeShare - none, waited);
}

void GuestModel::Feel(Nanos span, const Strain& strain) {
  const int64_t share = steady_stall_permyriad_;
  counters_.stalled_ns += span.count / kWholeShare * share;
  if (settled_ && refault_rate_ > 0) {
    const int64_t again = BytesIn(refault_rate_, std::min(span, Seconds(60)));
    counters_.refaulted_bytes += again;
    counters_.major_faults += again / kPage;
  }
  counters_.refaulted_bytes += strain.refaulted;
  counters_.major_faults += (strain.refaulted + strain.swapped_in) / kPage;
  if (span >= kStallWindow) {
    stall_permyriad_ = share;
  } else if (share != stall_permyriad_) {
    stall_permyriad_ += (share - stall_permyriad_) * span.count / kStallWindow.count;
  }
}

void GuestModel::Deflate(Nanos span, Strain& strain) {
  const int64_t excess = memory_.balloon() - std::max(halfway_, target_);
  if (excess <= 0 || stuck_) return;
  const int64_t given =
      memory_.BalloonToFree(std::min(excess, BytesIn(spec_.device.give_bytes_per_second, span)));
  counters_.given_bytes += given;
  strain.moved = true;
  strain.relieved = true;
}

void GuestModel::Inflate(Nanos span, Strain& strain) {
  const int64_t missing = target_ - memory_.balloon();
  if (missing <= 0 || stuck_ || shrank_by_itself_) return;
  const int64_t resident = memory_.resident();
  const int64_t before = memory_.balloon();
  const int64_t wanted = std::min(missing, BytesIn(spec_.device.take_bytes_per_second, span));
  int64_t left = wanted - memory_.FreeToBalloon(wanted, memory_.low_watermark());
  if (left > 0) left = InflateFromCache(left, strain);
  if (left > 0) InflateBySwapping(left, span, strain);
  if (spec_.device.returns_nothing) memory_.HoldBalloonPages(resident - memory_.resident());
  counters_.taken_bytes += memory_.balloon() - before;
  if (memory_.balloon() > before) strain.moved = true;
}

// The driver reclaims what it takes, page by page: that costs time of its own, in which it counts as stalled.
// Returns what the cache did not have.
int64_t GuestModel::InflateFromCache(int64_t bytes, Strain& strain) {
  const int64_t wanted = bytes * kWholeShare / (kWholeShare + kReclaimPermyriad);
  int64_t taken = memory_.ColdToBalloon(wanted);
  const int64_t evicted = memory_.HotToBalloon(wanted - taken);
  evicted_hot_ += evicted;
  taken += evicted;
  if (taken == 0) return bytes;
  const int64_t extra = taken * kReclaimPermyriad / kWholeShare;
  strain.waited_ns += TimeFor(extra, spec_.device.take_bytes_per_second).count;
  return taken < wanted ? bytes - taken : 0;
}

// With nothing but programs' memory left: as fast as zram takes it, a third of which goes into the compressed
// copy; without room in zram a page here and there.
void GuestModel::InflateBySwapping(int64_t bytes, Nanos span, Strain& strain) {
  const int64_t out = std::min({bytes + bytes / 2, BytesIn(kSwapOutSpeed, span), Swappable()});
  if (out > 0) {
    memory_.SwapOut(out);
    strain.waited_ns += TimeFor(out, kSwapOutSpeed).count;
    memory_.FreeToBalloon(bytes, memory_.low_watermark());
    return;
  }
  memory_.FreeToBalloon(std::min(bytes, BytesIn(kPuffSpeed, span)), memory_.min_watermark());
}

void GuestModel::ReportFree(Nanos span, Strain& strain) {
  if (!spec_.device.free_page_reporting || memory_.reportable() == 0) return;
  since_report_pass_ = since_report_pass_ + span;
  const int64_t passes = since_report_pass_.count / kReportPass.count;
  since_report_pass_ = since_report_pass_ - kReportPass * passes;
  strain.moved = true;
  if (passes > 0) memory_.Report(std::max(kMiB, memory_.free() / kReportPart) * passes);
}

Nanos GuestModel::GoodStep(int64_t little) const {
  constexpr Nanos kFine = Milliseconds(10);
  constexpr Nanos kBrisk = Milliseconds(100);
  constexpr Nanos kCalm = Seconds(1);
  constexpr Nanos kLong = Seconds(10);
  if (!on_ || settled_) return kLong;
  if (boot_left_.count > 0) return kCalm;
  const int64_t have = available();
  const int64_t missing = AnonMissing();
  if (plug_moves()) return have < little ? kFine : kBrisk;
  if (memory_.balloon() != target_ && balloon_moves()) return have < little ? kFine : kBrisk;
  if (missing > 0) {
    if (have < little) return kFine;
    const int64_t above = have - little;
    const int64_t speed = segment_.anon_bytes_per_second > 0 ? segment_.anon_bytes_per_second : kTouchSpeed;
    // A rise that ends well before memory is short needs no close look.
    if (missing < above / 2) return missing > 64 * kMiB ? kCalm : kLong;
    const Nanos horizon = TimeFor(have, speed);
    if (horizon < Seconds(2)) return kFine;
    return horizon < Seconds(20) ? kBrisk : kCalm;
  }
  if (refault_rate_ > 0 || memory_.swapped() > 0) return have < little ? kBrisk : kCalm;
  // The host sees the cache grow.
  const int64_t filling = segment_.cold_reads_bytes_per_second + segment_.hot_reads_bytes_per_second;
  const bool has_room = memory_.free() > memory_.high_watermark() + 64 * kMiB;
  return filling > 8 * kMiB && has_room ? kCalm : kLong;
}

}  // namespace ballast::sim
