// How long one decision for ten thousand guests takes.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/figure.h"

namespace ballast::bench {

// replan_10000_guests_p99_ms and its companions.
[[nodiscard]] absl::StatusOr<std::vector<Figure>> MeasureReplan();

// The program starts itself anew with this argument and a number, to have the instructions of so many
// decisions counted; the exit code.
inline constexpr char kReplanArgument[] = "--replan-calls";
int ReplanOnly(const char* calls);

}  // namespace ballast::bench
