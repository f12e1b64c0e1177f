// vm0's balloon loop for Firecracker (vm0-ai/vm0: crates/sandbox-firecracker balloon.rs; pull request 30227).
//
// One loop a VM, every 5 s, on the balloon's statistics: when MemFree is above 384 MiB it takes the part
// above 256 MiB, at most 256 MiB a time; when MemAvailable is below 192 MiB the target goes to zero at once.
// Without statistics it does nothing. This is the *mended* version: the first one released 65..256 MiB a
// time, merged with a pending target, which pinned a production guest for ten minutes. It looks at no host:
// it always takes.
//
// Mapped: its least capacity of 1 GiB (of 4) = the plan's floor. Free page reporting and deflate-on-oom on,
// as it boots its VMs.
#pragma once

#include <memory>

#include "host-bridge/lab/world/controller.h"

namespace ballast::sim {

[[nodiscard]] std::unique_ptr<Controller> MakeVm0(const WorldPlan& plan);

}  // namespace ballast::sim
