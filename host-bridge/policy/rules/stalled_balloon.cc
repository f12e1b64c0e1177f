// Rule 4. A driver that finds no page retries every 200 ms for ever and burns the guest's CPU. A target that
// cannot be reached is moved to what was reached.
#include "host-bridge/policy/rules/rule.h"

namespace ballast::policy {

std::optional<Proposal> StalledBalloon(const View& view, const PolicyConfig&) {
  if (!view.stalled) return std::nullopt;
  return Proposal{{view.Position()}, {view.target}, ReasonFor(Rule::kStalledBalloon, view)};
}

}  // namespace ballast::policy
