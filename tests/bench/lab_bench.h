// What the simulator says of Ballast: kills, starvation, amplification and density, beside its rivals.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/figure.h"

namespace ballast::bench {

// sim_burst_oom_kills, sim_starved_seconds, residency_amplification, idle_reversals,
// sim_guest_hours_per_minute. Prints the comparison of all scenarios and controllers, 100 worlds each.
[[nodiscard]] absl::StatusOr<std::vector<Figure>> MeasureSimulation();

// density_vs_static, density_vs_fpr, density_vs_oracle. Prints the densities of all scenarios that measure
// them.
[[nodiscard]] absl::StatusOr<std::vector<Figure>> MeasureDensities();

}  // namespace ballast::bench
