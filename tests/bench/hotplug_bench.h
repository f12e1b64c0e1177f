// What becomes of plugged memory in real guests: how much of it comes back, and how far a guest can grow by
// it.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/figure.h"

namespace ballast::bench {

// unplug_yield_percent, by DIMMs, and unplug_yield_virtio_mem_percent.
[[nodiscard]] absl::StatusOr<std::vector<Figure>> MeasureUnplugYield();
// grow_factor_without_oom.
[[nodiscard]] absl::StatusOr<std::vector<Figure>> MeasureGrowth();

}  // namespace ballast::bench
