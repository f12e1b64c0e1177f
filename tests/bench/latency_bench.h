// From the first sign of pressure to the command at the VMM, with the real programs, beside 5 s pollers.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/figure.h"

namespace ballast::bench {

// pressure_to_command_p99_ms and its companions.
[[nodiscard]] absl::StatusOr<std::vector<Figure>> MeasureLatency();

}  // namespace ballast::bench
