// What runs when no controller does: free page reporting alone, and a balloon of fixed size with
// deflate-on-oom.
//
// Free page reporting: the guest hands free pages of 2 MiB back by itself every two seconds or so; nobody
// commands. Deflate-on-oom: the balloon is set once, at the guest's first start, to leave it its floor; what
// it gets back it gets from its own driver, 1 MiB an OOM notification. A VMM that is started anew is given
// its target again.
#pragma once

#include <memory>

#include "host-bridge/lab/world/controller.h"

namespace ballast::sim {

[[nodiscard]] std::unique_ptr<Controller> MakeFprOnly(const WorldPlan& plan);
[[nodiscard]] std::unique_ptr<Controller> MakeDeflateOnOomOnly(const WorldPlan& plan);

}  // namespace ballast::sim
