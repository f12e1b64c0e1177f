// Rule 13. A balloon whose pages do not come back to the host (VFIO, huge pages, macOS) costs the guest its
// memory and buys nobody anything: the guest gets its baseline back, and nothing more is taken for half a
// day.
#include <algorithm>

#include "host-bridge/policy/rules/rule.h"

namespace ballast::policy {

std::optional<Proposal> UselessBalloon(const View& view, const PolicyConfig&) {
  if (!view.useless || std::max(view.actual, view.target) <= view.baseline_balloon) return std::nullopt;
  Proposal proposal{{view.baseline_balloon}, {view.Position()}, ReasonFor(Rule::kUselessBalloon, view)};
  proposal.reason.wanted_bytes = std::max<int64_t>(0, view.Position() - view.baseline_balloon);
  return proposal;
}

}  // namespace ballast::policy
