// Does the agent live through what it reports? A storm of allocators holds a guest at nothing for a minute.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/figure.h"

namespace ballast::bench {

// livelock_report_gap_max_s: the longest time between two reports that arrive at the host, beside the same
// agent without its measures; livelock_sample_gap_max_s: the same between the samples themselves.
[[nodiscard]] absl::StatusOr<std::vector<Figure>> MeasureLivelock();

}  // namespace ballast::bench
