// How long a plugged block of memory waits to be brought online, beside the kernel's own onlining.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/figure.h"

namespace ballast::bench {

// block_online_p50_ms and its companions.
[[nodiscard]] absl::StatusOr<std::vector<Figure>> MeasureBlocks();

}  // namespace ballast::bench
