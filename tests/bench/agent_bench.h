// What the agent costs its guest: memory, processor time, and what its programs in the kernel cost others.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/figure.h"

namespace ballast::bench {

// agent_rss_mib, agent_anon_mib, agent_binary_mib, agent_quiet_cpu_percent, agent_armed_cpu_percent: one
// guest, in it the agent, watched by a bridge, beside an idle qemu-ga and a plain loop that polls once a
// second.
[[nodiscard]] absl::StatusOr<std::vector<Figure>> MeasureAgent();

// bpf_page_fault_overhead_percent: the same faults with and without the agent's programs in the kernel.
[[nodiscard]] absl::StatusOr<std::vector<Figure>> MeasureBpfOverhead();

}  // namespace ballast::bench
