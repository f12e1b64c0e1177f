// The balloon monitor of qemus/qemu (src/balloon.py): one a VM, every 5 s, a PI controller on the host's
// memory.
//
// error = 20 % less the host's available share; the size asked for = actual - (0.5 error + 0.05 integral) x
// boot memory, integral in +-1, wound back when the size meets a limit. Limits: at least 33 % of boot memory,
// and what the guest uses as long as the host is below 90 % used; at most boot memory, lowered linearly to
// the minimum as the host's PSI some avg10 goes from 10 to 50 %. A change below 128 MiB is made only onto a
// limit.
//
// Written for one VM a host: with many, all of them integrate the same error. Kept so. Mapped: the minimum is
// the plan's floor where the operator set one; what the guest uses without statistics is the VMM's resident
// memory, as there. Its container cap has no counterpart. Device: free page reporting on, deflate-on-oom off.
#pragma once

#include <memory>

#include "host-bridge/lab/world/controller.h"

namespace ballast::sim {

[[nodiscard]] std::unique_ptr<Controller> MakeQemus(const WorldPlan& plan);

}  // namespace ballast::sim
