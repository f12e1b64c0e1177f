// A guest that asks for memory, by the one giving rule that speaks for it, and its place in the queue.
#pragma once

#include <optional>

#include "host-bridge/policy/rules/rule.h"

namespace ballast::policy {

// A guest that one of the giving rules speaks for.
struct Asker {
  View view;
  Proposal give;

  [[nodiscard]] const GuestLimits& limits() const { return view.facts->limits; }
  [[nodiscard]] bool acts() const { return limits().mode != Mode::kObserve; }
  // Asks, and with this urgency, by rule 14 alone.
  [[nodiscard]] bool Requests(Urgency urgency) const {
    return give.reason.rule == Rule::kMemoryRequest && view.facts->request->urgency == urgency;
  }
};

// Whether `a` is served before `b`: guests in real life before those only observed, then by need, weight and
// name.
[[nodiscard]] bool ServedBefore(const Asker& a, const Asker& b);

// What the giving rules say for a guest that one of them may have something for: the one of the highest rank
// speaks, unless a later one would give more. Where the balloon has nothing to give, memory is plugged.
[[nodiscard]] std::optional<Proposal> AskGivingRules(const View& view, const PolicyConfig& config);

// The same for any guest. Nearly all need not be asked for.
inline std::optional<Proposal> Combine(const View& view, const PolicyConfig& config) {
  return view.NothingToGiveFor() ? std::nullopt : AskGivingRules(view, config);
}

}  // namespace ballast::policy
