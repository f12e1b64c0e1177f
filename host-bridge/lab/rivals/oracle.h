// The clairvoyant bound: it reads a second copy of each guest's workload and its events ahead, and gives each
// guest the least size that serves it without waits, ahead of demand by the time its balloon needs. Not a
// rule anybody could run.
//
// Every second. A guest grows when its size will be short of its need before the next look could help, to
// what it needs within 10 s; it shrinks to the most it needs within 30 s, when that is worth 64 MiB. Never
// below the plan's floor. It does not look at the host: no size could be smaller.
#pragma once

#include <memory>

#include "host-bridge/lab/world/controller.h"

namespace ballast::sim {

[[nodiscard]] std::unique_ptr<Controller> MakeOracle(const WorldPlan& plan);

}  // namespace ballast::sim
