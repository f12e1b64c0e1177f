// The random stories that the invariants are tested on.
#pragma once

#include "tests/host-bridge/policy/property_story.h"
#include "tests/host-bridge/policy/random_world.h"

namespace ballast::policy {

// A few looks at guests and a host that may say anything, nearly always one to seven of them, else none or up
// to 200; some VMMs are away for a while, and clocks jump.
[[nodiscard]] Story MakeAnything(RandomWorld& random);

// Honest guests that obey, beside guests that want all there is, on a host that has its reserve.
[[nodiscard]] Story MakeLiars(RandomWorld& random);

// Guests that only their names tell apart.
[[nodiscard]] Story MakeTwins(RandomWorld& random);

// Twenty minutes in which nobody's needs change: guests around their thresholds, hot caches, slow and deaf
// balloons, rare reports, holds, a host around its reserve.
[[nodiscard]] Story MakeConstant(RandomWorld& random);

}  // namespace ballast::policy
