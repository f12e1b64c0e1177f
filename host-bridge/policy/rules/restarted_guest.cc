// Rule 12. A balloon target survives a reset of the guest: the driver that loads would inflate a booting
// guest at once to a size that was right for another life (one guest panicked twice that way). So the first
// word to a guest that started anew is a safe target, said even where nothing seems to be taken: what the VMM
// still holds as its target cannot be read.
#include "host-bridge/policy/rules/rule.h"

namespace ballast::policy {

std::optional<Proposal> RestartedGuest(const View& view, const PolicyConfig&) {
  // Of a guest only observed no target is ours, and nothing is owed for it.
  if (!view.facts->rebooted || view.facts->limits.mode == Mode::kObserve) return std::nullopt;
  Proposal proposal{{view.least_balloon}, {view.Position()}, ReasonFor(Rule::kRestartedGuest, view)};
  proposal.reason.wanted_bytes =
      view.Position() > view.least_balloon ? view.Position() - view.least_balloon : 0;
  return proposal;
}

}  // namespace ballast::policy
