#include "host-bridge/policy/balloon_watch.h"

#include <algorithm>

#include "host-bridge/policy/arithmetic.h"

namespace ballast::policy {
namespace {

// Longer each time, up to max_block; short again after a quiet max_block.
void BlockInflation(GuestHistory& history, const PolicyConfig& config, MonotonicTime now) {
  const bool quiet = Elapsed(history.inflate_blocked_until, now) >= config.max_block;
  Nanos block = quiet ? config.first_block : history.next_block;
  block = std::clamp(block, config.first_block, config.max_block);
  history.inflate_blocked_until = After(now, block);
  history.next_block = std::min(Nanos{Add(block.count, block.count)}, config.max_block);
}

bool ShrankByItself(const View& view, const GuestHistory& history, const PolicyConfig& config) {
  // Before the first command nobody knows the target, and a fall may well be an operator's.
  if (!history.target || !history.last_actual) return false;
  const int64_t expected = std::min(history.last_actual->count, view.target);
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

}  // namespace

void WatchBalloon(View& view, GuestHistory& history, const PolicyConfig& config, MonotonicTime now) {
  view.self_shrunk = ShrankByItself(view, history, config);
  const bool filling = view.target - view.actual > config.stall_slack_bytes;
  const bool emptying = view.target < view.actual;
  if (!history.last_actual) {
    StartWindow(view, history, now);  // the first look has nothing to compare with
  } else if (filling && !view.self_shrunk) {
    view.stalled = Stalls(view, history, config, view.facts->vmm->at);
  } else if (emptying && history.progress_actual.count == view.actual) {
    view.grant_stuck = Elapsed(history.progress_since, now) >= config.resend_after;
  } else {
    StartWindow(view, history, now);
  }
  if (view.self_shrunk || view.stalled) BlockInflation(history, config, now);
  history.last_actual = BalloonBytes{view.actual};
}

}  // namespace ballast::policy
