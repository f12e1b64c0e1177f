// ghaf-mem-manager (tiiuae/ghafpkgs: packages/rust/ghaf-mem-manager): one process a VM.
//
// Every second it reads the balloon's size and statistics; when the statistics are new and its last command
// is at least 3 s old, it brings used / visible back into 70..80 %: below, the VM gets used / 0.70; above,
// used / 0.78. No step limit, no look at the host.
//
// Kept as published: statistics never filled in read 2^64-1, which is "all available", and the VM goes to its
// minimum. Mapped: minimum = the plan's floor, maximum = boot memory. Left out, in its favour: the process
// ends after five failed commands in a row, and does not come back.
#pragma once

#include <memory>

#include "host-bridge/lab/world/controller.h"

namespace ballast::sim {

[[nodiscard]] std::unique_ptr<Controller> MakeGhaf(const WorldPlan& plan);

}  // namespace ballast::sim
