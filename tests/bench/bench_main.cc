// ballast-bench [NAME...]: measures, prints a table, writes build/bench/result.json (below the present
// directory). Each NAME is a part of a figure's name; without any all are measured. Exit code 1 when
// something could not be measured; a missed goal is a result, not a failure.
#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/text.h"
#include "tests/bench/agent_bench.h"
#include "tests/bench/blocks_bench.h"
#include "tests/bench/burst_bench.h"
#include "tests/bench/hotplug_bench.h"
#include "tests/bench/lab_bench.h"
#include "tests/bench/latency_bench.h"
#include "tests/bench/livelock_bench.h"
#include "tests/bench/native_bench.h"
#include "tests/bench/plan_bench.h"
#include "tests/bench/replan_bench.h"

namespace ballast::bench {
namespace {

struct Group {
  std::vector<std::string> names;  // the figures it yields
  absl::StatusOr<std::vector<Figure>> (*measure)();
};

bool IsWanted(const Group& group, const std::vector<std::string>& wanted) {
  if (wanted.empty()) return true;
  for (const std::string& name : group.names) {
    for (const std::string& part : wanted) {
      if (name.find(part) != std::string::npos) return true;
    }
  }
  return false;
}

int Main(const std::vector<std::string>& wanted) {
  const std::array<Group, 13> groups = {{
      {{"replan_10000_guests_p99_ms", "replan_10000_guests_p50_ms", "replan_10000_guests_pressure_p99_ms",
        "replan_10000_guests_instructions"},
       MeasureReplan},
      {{"unplug_plan_256_dimms_us"}, MeasureUnplugPlan},
      {{"pressure_to_command_p50_ms", "pressure_to_command_p99_ms", "pressure_to_command_vs_poller_ratio",
        "burst_start_to_vmm_p99_ms"},
       MeasureLatency},
      {{"pressure_to_command_guest_p99_ms", "burst_oom_kills_managed", "burst_oom_kills_unmanaged",
        "burst_work_done_managed"},
       MeasureBursts},
      {{"sim_burst_oom_kills", "residency_amplification", "idle_reversals", "sim_starved_seconds",
        "sim_guest_hours_per_minute"},
       MeasureSimulation},
      {{"agent_rss_mib", "agent_anon_mib", "agent_binary_mib", "agent_quiet_cpu_percent",
        "agent_armed_cpu_percent"},
       MeasureAgent},
      {{"agent_quiet_cpu_here_percent"}, MeasureAgentHere},
      {{"livelock_report_gap_max_s", "livelock_sample_gap_max_s"}, MeasureLivelock},
      {{"bpf_page_fault_overhead_percent"}, MeasureBpfOverhead},
      {{"block_online_p50_ms", "block_online_p99_ms", "block_online_guest_p50_ms",
        "block_online_vs_kernel_ratio", "block_online_written_vs_kernel_ratio",
        "block_online_one_cpu_guest_p50_ms", "block_online_one_cpu_vs_kernel_ratio",
        "block_online_one_cpu_written_vs_kernel_ratio"},
       MeasureBlocks},
      {{"unplug_yield_percent", "unplug_yield_virtio_mem_percent"}, MeasureUnplugYield},
      {{"grow_factor_without_oom"}, MeasureGrowth},
      {{"density_vs_static", "density_vs_fpr", "density_vs_oracle"}, MeasureDensities},
  }};
  std::vector<Figure> figures;
  bool complete = true;
  bool any = false;
  for (const Group& group : groups) {
    if (!IsWanted(group, wanted)) continue;
    any = true;
    std::printf("measuring %s ...\n", group.names.front().c_str());
    std::fflush(stdout);
    auto measured = group.measure();
    if (measured.ok()) {
      figures.insert(figures.end(), measured->begin(), measured->end());
      continue;
    }
    complete = false;
    for (const std::string& name : group.names) {
      figures.push_back(
          {name, std::nullopt, "", "", false, "", "not measured: " + MessageOf(measured.status())});
    }
  }
  if (!any) {
    std::fprintf(stderr, "ballast-bench: no figure's name contains what was asked for\n");
    return 2;
  }
  std::printf("\n%s", TableOf(figures).c_str());
  if (auto status = WriteJson(figures, "build/bench/result.json"); !status.ok()) {
    std::fprintf(stderr, "ballast-bench: %s\n", MessageOf(status).c_str());
    return 1;
  }
  return complete ? 0 : 1;
}

}  // namespace
}  // namespace ballast::bench

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == ballast::bench::kReplanArgument)
    return ballast::bench::ReplanOnly(argv[2]);
  return ballast::bench::Main(std::vector<std::string>(argv + 1, argv + argc));
}
