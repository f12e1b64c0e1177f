// The rules that plug and unplug: they look at one guest whose view has a PlugView.
#pragma once

#include "host-bridge/policy/rules/taking.h"

namespace ballast::policy {

// Rules 9 and 14, and rule 10's steps undone: at most one proposal with `plugs` set. For a guest none of the
// balloon's rules speaks for.
[[nodiscard]] std::optional<Proposal> Plug(const View& view, const PolicyConfig& config);

// What is about to leave a guest that is short stays, also while its balloon still gives or the host has
// nothing: it costs nobody anything.
[[nodiscard]] std::optional<Proposal> StayPlugged(const View& view);

// What is to be said of a guest that is not plugged although it needs more; unset: nothing.
[[nodiscard]] std::optional<Hold::Why> WhyNotPlugged(const View& view, const PolicyConfig& config);

// Rule 10: what may leave now, or what its balloon must give back first. `slack` beyond its working set and
// reserve at the present size, `most_step` of one taking; both >= 0.
struct IdlePlugged {
  int64_t unplug = 0;      // a multiple of the unit; 0: nothing leaves now
  int64_t give = 0;        // by the balloon, so that a unit can leave; 0 when `unplug` is not
  bool can_leave = false;  // sooner or later: rule 8 leaves the guest alone
};
[[nodiscard]] IdlePlugged IdlePluggedOf(const View& view, int64_t slack, int64_t most_step,
                                        const PolicyConfig& config);

}  // namespace ballast::policy
