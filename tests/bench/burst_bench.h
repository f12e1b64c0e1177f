// Bursts on real guests: latency over real vsock, and kills with the bridge and without.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/figure.h"

namespace ballast::bench {

// pressure_to_command_guest_p99_ms, burst_oom_kills_managed, burst_oom_kills_unmanaged and their companions.
[[nodiscard]] absl::StatusOr<std::vector<Figure>> MeasureBursts();

}  // namespace ballast::bench
