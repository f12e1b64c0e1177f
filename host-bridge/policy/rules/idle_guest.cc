// Rule 8. What a guest has not touched for a while goes back to the host before anybody is short of it, in
// small steps that are watched (Senpai's rule): one that makes it read pages back or stall is undone, and the
// wait before the next one doubles.
#include <algorithm>

#include "host-bridge/policy/rules/rule.h"

namespace ballast::policy {

std::optional<Proposal> IdleStepUndone(const View& view, const PolicyConfig&) {
  if (view.idle_undo <= 0) return std::nullopt;
  const int64_t target = std::max<int64_t>(view.least_balloon, view.target - view.idle_undo);
  if (target >= view.target) return std::nullopt;
  Proposal proposal{{target}, {view.Position()}, ReasonFor(Rule::kIdleGuest, view)};
  proposal.reason.wanted_bytes = view.idle_undo;
  return proposal;
}

}  // namespace ballast::policy
