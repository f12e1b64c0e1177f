// hypeman's active ballooning (kernel/hypeman: lib/guestmemory controller.go, planner.go, policy defaults).
//
// Every 2 s, one pass over all VMs. Host pressure begins when MemAvailable < 10 % or PSI some avg10 > 0, and
// ends at >= 15 % with avg10 = 0. In pressure the reclaim of all VMs together is 15 % of the host less
// MemAvailable, or what is held already while only PSI says so; it is split by headroom above each VM's floor
// (50 %, at least 512 MiB), remainder to the first. A change below 64 MiB is not made, one is at most 256
// MiB, and a VM rests 5 s after it. It believes its targets and looks at no guest.
//
// Kept as published: the shortfall that is left *after* what is held becomes the whole target, so it settles
// at about half of what is missing; and healthy means a reclaim of zero. Mapped: its floor is the plan's
// where the operator set one. Left out, in its favour: one hung VMM delays all others.
#pragma once

#include <memory>

#include "host-bridge/lab/world/controller.h"

namespace ballast::sim {

[[nodiscard]] std::unique_ptr<Controller> MakeHypeman(const WorldPlan& plan);

}  // namespace ballast::sim
