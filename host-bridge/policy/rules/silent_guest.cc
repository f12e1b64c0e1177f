// Rule 2. Silence is the commonest sign of a guest in trouble, since pressure starves the agent too. What was
// not yet taken is no longer asked for, and after the lease the guest has its baseline again.
#include <algorithm>

#include "host-bridge/policy/rules/rule.h"

namespace ballast::policy {

std::optional<Proposal> SilentGuest(const View& view, const PolicyConfig& config) {
  if (!view.missed) return std::nullopt;
  int64_t wanted = view.target;
  // A VMM that stops a few pages short has reached its target.
  if (view.target - view.actual >= config.alignment_bytes) wanted = view.actual;
  if (view.lease_over && view.actual > view.baseline_balloon)
    wanted = std::min(wanted, view.baseline_balloon);
  // A grant that does not arrive may have to be sent again.
  if (wanted >= view.target && view.target >= view.actual) return std::nullopt;
  Proposal proposal{{wanted}, {view.target}, ReasonFor(Rule::kSilentGuest, view)};
  proposal.reason.wanted_bytes = std::max<int64_t>(0, view.Position() - wanted);
  return proposal;
}

}  // namespace ballast::policy
