// ChromeOS' VM memory management service (platform2: vm_tools/concierge/mm, resourced,
// vm_tools/vmmms_client).
//
// Guest: PSI some of 200, 400, 600 ms in 2 s asks for 100 MiB at the rungs CachedApp, PerceptibleApp,
// FocusedApp, at most every 5, 2, 1 s. Host, every second: the largest of what is missing to the critical
// margin (5.2 % of memory), 10 MiB (some stalls of 20 %), 100 MiB (full stalls of 5 %) and 100 MiB doubling
// from the third critical second in a row on (full stalls of 50 %), split evenly over the guests, at
// CachedTab, PerceptibleTab or FocusedTab by the level of stalls. Whoever asks blocks the other, a rung more
// each time (vmmms_ladder.h). A deflation counts from the actual balloon, an inflation from the target. Every
// 5 s an inflation is watched: below 15 MiB/s it is taken back by 128 MiB and blocked at the top rung.
//
// Mapped: a guest's PSI is its agent's share of the last 100 ms, held until the next report or 2 s. A balloon
// leaves the plan's floor. No counterpart: tabs and apps to kill (requests come at the rungs of those that
// would be next), refault rates of the host, MGLRU ages, and the probe after boot that squeezes a guest until
// it objects (left out, in its favour).
#pragma once

#include <memory>

#include "host-bridge/lab/world/controller.h"

namespace ballast::sim {

[[nodiscard]] std::unique_ptr<Controller> MakeVmmms(const WorldPlan& plan);

}  // namespace ballast::sim
