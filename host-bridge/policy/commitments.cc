#include "host-bridge/policy/commitments.h"

#include <algorithm>

#include "host-bridge/policy/arithmetic.h"

namespace ballast::policy {

int64_t PluggedUnseen(const GuestHistory& history) {
  if (!history.plug || !history.plug->target) return 0;
  return std::clamp<int64_t>(Sub(*history.plug->target, history.plug->from_bytes), 0, kLargestSize);
}

int64_t PromisedUnseen(const GuestHistory& history) {
  const int64_t plugged = PluggedUnseen(history);
  if (!history.target || !history.last_actual) return plugged;
  const int64_t given = Sub((*history.last_actual).count, (*history.target).count);
  return Add(plugged, std::clamp<int64_t>(given, 0, kLargestSize));
}

int64_t HeldBy(const GuestFacts& facts) {
  if (facts.limits.mode != Mode::kGuard && facts.limits.mode != Mode::kFull) return 0;
  const int64_t actual = facts.vmm->value.balloon_actual.count;
  const int64_t commanded = facts.history.target.value_or(BalloonBytes{actual}).count;
  return std::clamp<int64_t>(std::max(actual, commanded), 0, kLargestSize);
}

int64_t LargestHold(const Snapshot& snapshot, MonotonicTime now) {
  int64_t bytes = 0;
  for (const ReclaimHold& hold : snapshot.reclaim_holds) {
    if (!hold.until || *hold.until > now) bytes = std::max(bytes, std::min(hold.bytes, kLargestSize));
  }
  return bytes;
}

void HoldEverything(const Snapshot& snapshot, Outcome& outcome) {
  outcome.decisions.clear();
  outcome.plugs.clear();
  outcome.holds.clear();
  outcome.answers.clear();
  outcome.histories.clear();
  outcome.host_history = snapshot.host_history;
  for (size_t i = 0; i < snapshot.guests.size(); ++i) {
    const GuestFacts& facts = snapshot.guests[i];
    if (facts.limits.mode != Mode::kOff) outcome.holds.push_back({i, Hold::Why::kBadLimits});
    outcome.histories.push_back(facts.history);
  }
}

}  // namespace ballast::policy
