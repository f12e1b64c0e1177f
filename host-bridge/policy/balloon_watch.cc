#include "host-bridge/policy/balloon_watch.h"

#include <algorithm>

#include "host-bridge/policy/arithmetic.h"

namespace ballast::policy {
namespace {

// Less than this says more of the readings' grain than of the balloon's speed.
constexpr Nanos kLeastSpeedSpan = Milliseconds(10);
constexpr int64_t kLeastSpeedBytes = 4 * kMiB;

// Longer each time, up to max_block; short again after a quiet max_block.
void BlockInflation(GuestHistory& history, const PolicyConfig& config, MonotonicTime now) {
  const bool quiet = Elapsed(history.inflate_blocked_until, now) >= config.max_block;
  Nanos block = quiet ? config.first_block : history.next_block;
  block = std::clamp(block, config.first_block, config.max_block);
  history.inflate_blocked_until = std::max(history.inflate_blocked_until, After(now, block));
  history.next_block = std::min(Nanos{Add(block.count, block.count)}, config.max_block);
}

bool ShrankByItself(const View& view, const GuestHistory& history, const PolicyConfig& config) {
  // Before the first command nobody knows the target, and a fall may well be an operator's.
  if (!history.target || !history.last_actual) return false;
  const int64_t expected = std::min((*history.last_actual).count, view.target);
  return Sub(expected, view.actual) >= config.self_shrink_bytes;
}

void StartWindow(const View& view, GuestHistory& history, MonotonicTime since) {
  history.progress_since = since;
  history.progress_actual = {view.actual};
}

// Judged at the time of the reading: an old one says nothing of the time since.
bool Stalls(const View& view, GuestHistory& history, const PolicyConfig& config, MonotonicTime read_at) {
  const Nanos elapsed = Elapsed(history.progress_since, read_at);
  if (elapsed < config.stall_time) return false;
  const int64_t gained = Sub(view.actual, history.progress_actual.count);
  const bool slow = gained < BytesDuring(config.stall_bytes_per_second, elapsed);
  StartWindow(view, history, read_at);
  return slow;
}

// The speed between two readings during all of which the balloon was on its way; one that arrived in between
// moved for an unknown part of the time. Averaged over four, so that one hiccup does not count for much.
void LearnSpeed(const View& view, GuestHistory& history) {
  if (!history.last_actual || !history.last_actual_at) return;
  const Nanos span = Elapsed(*history.last_actual_at, view.facts->vmm->at);
  const int64_t taken = Sub(view.actual, (*history.last_actual).count);
  const int64_t moved = taken < 0 ? Sub(0, taken) : taken;
  if (span < kLeastSpeedSpan || moved < kLeastSpeedBytes) return;
  const bool giving = taken < 0 && view.target < view.actual;
  const bool taking = taken > 0 && view.target > view.actual;
  if (!giving && !taking) return;
  const int64_t speed = std::clamp<int64_t>(MulDiv(moved, 1'000'000'000, span.count), 1, kLargestRate);
  int64_t& learned = giving ? history.give_bytes_per_second : history.take_bytes_per_second;
  learned = learned > 0 && learned <= kLargestRate ? (3 * learned + speed) / 4 : speed;
}

bool AtRest(const View& view, const PolicyConfig& config) {
  return view.target - view.actual < config.alignment_bytes &&
         view.actual - view.target < config.alignment_bytes;
}

// Rule 13. Whatever the guest never touched is not resident, so less proves nothing; more than its size for
// long proves that ballooned pages stay where they were.
void WatchResident(View& view, GuestHistory& history, const PolicyConfig& config, MonotonicTime now) {
  const int64_t size = view.base - view.actual;
  const int64_t slack = Add(config.useless_slack_bytes, view.actual / 4);
  const Maybe<int64_t> resident = view.facts->vmm->value.resident_bytes;
  view.held_back = resident && view.actual > 0 && *resident > Add(size, slack);
  if (!view.held_back) {
    history.held_back_since.reset();
  } else if (!history.held_back_since || *history.held_back_since > now) {
    history.held_back_since = now;
  }
  view.useless = view.held_back && Elapsed(*history.held_back_since, now) >= config.useless_after;
  if (view.useless) history.held_back_since.reset();
}

}  // namespace

void WatchBalloon(View& view, GuestHistory& history, const PolicyConfig& config, MonotonicTime now) {
  const Maybe<MonotonicTime> resumed_at = view.facts->resumed_at;
  if (resumed_at && *resumed_at <= now) {
    // While a guest is paused its balloon does not move, and that is neither slow nor stalled.
    if (*resumed_at > history.progress_since) StartWindow(view, history, *resumed_at);
    if (history.last_actual_at && *resumed_at > *history.last_actual_at) history.last_actual_at.reset();
  }
  LearnSpeed(view, history);
  // The rest before a command is no part of the speed: only a reading that saw the balloon on its way begins
  // a span.
  const MonotonicTime read_at = view.facts->vmm->at;
  const bool moved = history.last_actual && (*history.last_actual).count != view.actual;
  if (moved && !AtRest(view, config)) {
    history.last_actual_at = read_at;
  } else if (history.last_actual_at != Maybe(read_at)) {
    history.last_actual_at.reset();
  }
  view.settled = AtRest(view, config) && history.last_actual && !moved;
  const int64_t seen = history.give_bytes_per_second;
  view.give_bytes_per_second = seen > 0 ? seen : config.assumed_give_bytes_per_second;
  WatchResident(view, history, config, now);
  view.self_shrunk = ShrankByItself(view, history, config);
  const bool filling = view.target - view.actual > config.stall_slack_bytes;
  const bool emptying = view.target < view.actual;
  if (!history.last_actual) {
    StartWindow(view, history, now);  // the first look has nothing to compare with
  } else if (filling && !view.self_shrunk) {
    view.stalled = Stalls(view, history, config, read_at);
  } else if (emptying && history.progress_actual.count == view.actual) {
    view.grant_stuck = Elapsed(history.progress_since, now) >= config.resend_after;
  } else {
    StartWindow(view, history, now);
  }
  if (view.self_shrunk || view.stalled) BlockInflation(history, config, now);
  if (view.useless) history.inflate_blocked_until = After(now, config.useless_block);
  history.last_actual = BalloonBytes{view.actual};
}

}  // namespace ballast::policy
