#include "host-bridge/lab/world/run.h"

#include "host-bridge/lab/world/world.h"

namespace ballast::sim {

RunResult Run(const WorldPlan& plan, const ControllerKind& controller, const RunOptions& options) {
  return World(plan, controller, options).Run();
}

}  // namespace ballast::sim
