// Neon's autoscaling (neondatabase/autoscaling: autoscaler-agent's decision core; neondatabase/neon:
// vm_monitor).
//
// In the guest a monitor samples its use every 100 ms; when the mean of 500 ms reaches 85 % of MemTotal it
// asks for one unit more, at most once a second; the request counts for 10 s. On the node an agent reads
// metrics every 5 s and wants used / 0.75, rounded up to units. It grows a unit at a time, with the
// scheduler's permit: all sizes together stay within the node. It shrinks a unit every 5 s, when the monitor
// agrees: 85 % of the new total is at least use + 100 MiB, by samples not older than 5 s. Without metrics it
// never shrinks. No look at PSI or at the host's own memory.
//
// Mapped: it plugs virtio-mem, here the balloon moves, at the balloon's speed. A unit is 1 GiB (of the guests
// it was made for) and at most an eighth of boot memory, in virtio-mem's blocks of 8 MiB, so that guests
// below 8 GiB have steps at all. Use = MemTotal - MemAvailable (it reads the cgroup's anon), by the agent's
// report or the balloon's statistics, whichever is newer. CPU and Postgres' file cache, its other two goals,
// have no counterpart. As memory that is not plugged is not in MemTotal, deflate-on-oom is off.
#pragma once

#include <memory>

#include "host-bridge/lab/world/controller.h"

namespace ballast::sim {

[[nodiscard]] std::unique_ptr<Controller> MakeNeon(const WorldPlan& plan);

}  // namespace ballast::sim
