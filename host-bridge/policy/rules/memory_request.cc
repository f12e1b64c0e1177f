// Rule 14. A tool in the guest asks before it kills: it gets what it asked for, as far as the host can spare
// it, and no more.
#include <algorithm>

#include "host-bridge/policy/arithmetic.h"
#include "host-bridge/policy/rules/rule.h"

namespace ballast::policy {

std::optional<Proposal> MemoryRequested(const View& view, const PolicyConfig&) {
  if (!view.asks || !view.heard || view.Position() <= view.least_balloon) return std::nullopt;
  const int64_t bytes = view.facts->request->bytes;
  // Beside what is on its way: that was given for another reason, and is eaten for it.
  Proposal proposal{{std::max(view.least_balloon, Sub(view.Position(), bytes))},
                    {view.Position()},
                    ReasonFor(Rule::kMemoryRequest, view)};
  proposal.reason.wanted_bytes = bytes;
  return proposal;
}

}  // namespace ballast::policy
