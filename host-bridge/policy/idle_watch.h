// What rule 8 must know of one guest over time: its working set, how long it has been calm, and whether the
// last step taken from it was wrong.
#pragma once

#include "host-bridge/policy/rules/rule.h"

namespace ballast::policy {

// Fills working_set, idle_ready and idle_undo of a guest that was heard and whose state is known.
void WatchIdle(View& view, GuestHistory& history, const PolicyConfig& config, MonotonicTime now);

// The guest needs more than it has: its calm is over, and what was taken from it not long ago was wrong.
void NeedsMore(const View& view, GuestHistory& history, const PolicyConfig& config, MonotonicTime now);

}  // namespace ballast::policy
