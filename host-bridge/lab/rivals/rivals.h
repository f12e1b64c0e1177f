// Everybody that Ballast is compared with.
#pragma once

#include <vector>

#include "host-bridge/lab/world/controller.h"

namespace ballast::sim {

// In a fixed order: first those where nobody drives, then by the speed of their loop, the clairvoyant bound
// last.
[[nodiscard]] std::vector<ControllerKind> Rivals();

}  // namespace ballast::sim
