// Nobody drives the balloons: every guest keeps the size it booted with. What every other row is compared
// with.
#pragma once

#include "host-bridge/lab/world/controller.h"

namespace ballast::sim {

[[nodiscard]] ControllerKind StaticSizes();

}  // namespace ballast::sim
