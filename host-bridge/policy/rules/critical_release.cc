// Rule 1. A critical guest gets everything back in one command. Giving only the estimated deficit kept a
// production guest of others pinned for ten minutes: each partial step was merged with the one still pending.
#include <algorithm>

#include "host-bridge/policy/rules/rule.h"

namespace ballast::policy {

std::optional<Proposal> CriticalRelease(const View& view, const PolicyConfig&) {
  // What nobody took cannot be given back: such a guest is short for reasons that are not the host's
  // business.
  const bool nothing_taken = std::max(view.actual, view.target) <= view.least_balloon;
  if (view.state != GuestState::kCritical || nothing_taken) return std::nullopt;
  Proposal proposal{{view.least_balloon}, {view.Position()}, ReasonFor(Rule::kCriticalRelease, view)};
  proposal.reason.threshold_bytes = view.thresholds.critical_available_bytes;
  proposal.reason.wanted_bytes = std::max<int64_t>(0, view.Position() - view.least_balloon);
  return proposal;
}

}  // namespace ballast::policy
