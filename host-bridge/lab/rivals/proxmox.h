// Proxmox VE's automatic ballooning (pve-manager: PVE/AutoBalloon.pm, called by pvestatd).
//
// Every 10 s: goal = 80 % of the host's memory less what is used; below 10 MiB either way nothing is done. A
// guest has memory to spare when MemFree is above 25 % of its minimum, else it is in need. Guests in need
// grow first, those with memory to spare shrink first; if that changes nothing, all do. Each wants its
// minimum and its share (by weight) of what the listed guests have above theirs plus the goal, and moves at
// most 100 MiB towards it from its actual size.
//
// Mapped: balloon_min = the plan's floor; shares = 10 x weight (1000 for the default weight). Free page
// reporting on, deflate-on-oom off, as its machine types have them.
#pragma once

#include <memory>

#include "host-bridge/lab/world/controller.h"

namespace ballast::sim {

[[nodiscard]] std::unique_ptr<Controller> MakeProxmox(const WorldPlan& plan);

}  // namespace ballast::sim
