// What the balloon itself tells between two looks: that it shrank unasked (rule 3), that it no longer fills
// (rule 4), or that a grant does not arrive.
#pragma once

#include "host-bridge/policy/rules/rule.h"

namespace ballast::policy {

// Fills self_shrunk, stalled and grant_stuck of `view`; keeps what the next look needs in `history`, and
// there also blocks inflation when the balloon shrank or stalled, whichever rule then speaks for the guest.
void WatchBalloon(View& view, GuestHistory& history, const PolicyConfig& config, MonotonicTime now);

}  // namespace ballast::policy
