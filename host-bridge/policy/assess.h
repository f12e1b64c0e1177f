// From facts to states: what is believed, which limits hold, how urgent each guest and the host are.
#pragma once

#include <cstdint>
#include <optional>

#include "host-bridge/policy/rules/rule.h"

namespace ballast::policy {

// The operator's limits with their defaults, each at most what can be plugged in all: floor <= baseline <=
// ceiling.
struct ResolvedLimits {
  int64_t floor = 0;
  int64_t baseline = 0;
  int64_t ceiling = 0;
};
// Unset when they contradict one another. 0 < boot <= reach: what it booted with, and the most it could have.
[[nodiscard]] std::optional<ResolvedLimits> ResolveLimits(const GuestLimits& limits, int64_t boot,
                                                          int64_t reach);

// The host: its state, and what guests may still be given.
struct HostView {
  HostHistory history = {};  // as it leaves with the outcome; its state is the one that counts
  bool known = false;        // false: no fresh and consistent reading
  int64_t available = 0;
  int64_t reserve = 0;
};
[[nodiscard]] HostView AssessHost(const Snapshot& snapshot, const PolicyConfig& config, MonotonicTime now);

// One guest. `view` is filled and the history brought up to date; false: nothing can be done for it, its
// history stays as it was and `hold` says why (off: no hold either). With a view `hold` may still say what is
// wrong with its report.
[[nodiscard]] bool AssessGuest(const GuestFacts& facts, HostState host_state, const PolicyConfig& config,
                               MonotonicTime now, View& view, GuestHistory& history,
                               std::optional<Hold::Why>& hold);

}  // namespace ballast::policy
