// What the agent costs without emulation: run here, beside everything else, where it can be run without being
// a guest's.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/figure.h"

namespace ballast::bench {

// agent_quiet_cpu_here_percent: this machine's memory, looked at as often as a 1 GiB guest's, with one
// watcher. Without BPF, kernel log and protection, so that nothing of this machine changes.
[[nodiscard]] absl::StatusOr<std::vector<Figure>> MeasureAgentHere();

}  // namespace ballast::bench
