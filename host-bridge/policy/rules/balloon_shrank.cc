// Rule 3. Deflate-on-OOM returns 1 MiB a notification and leaves the target, so that the driver takes the
// page back at once: a tug-of-war. The target follows the balloon down, and the guest gets what it is short
// of on top.
#include <algorithm>

#include "host-bridge/policy/rules/rule.h"

namespace ballast::policy {

std::optional<Proposal> BalloonShrank(const View& view, const PolicyConfig& config) {
  if (!view.self_shrunk) return std::nullopt;
  const int64_t short_of = view.heard ? ShortOf(view, config) : 0;
  Proposal proposal{{std::max<int64_t>(0, view.Position() - short_of)},
                    {view.target},
                    ReasonFor(Rule::kBalloonShrankByItself, view)};
  proposal.reason.threshold_bytes = view.thresholds.pressed_available_bytes;
  proposal.reason.wanted_bytes = short_of;
  return proposal;
}

}  // namespace ballast::policy
