// How long it takes to choose the DIMMs that leave.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/figure.h"

namespace ballast::bench {

// unplug_plan_256_dimms_us.
[[nodiscard]] absl::StatusOr<std::vector<Figure>> MeasureUnplugPlan();

}  // namespace ballast::bench
