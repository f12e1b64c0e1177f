#include "tests/bench/native_bench.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "common/kernel/meminfo_parser.h"
#include "common/transport/address.h"
#include "guest-agent/sensors/sampler.h"
#include "tests/lab/agent_watch.h"
#include "tests/lab/child_process.h"
#include "tests/lab/workspace.h"

namespace ballast::bench {
namespace {

constexpr absl::Duration kSettle = absl::Seconds(15);
constexpr absl::Duration kQuiet = absl::Minutes(3);
// Of a 1 GiB guest that runs little: what is left above the level that counts as critical.
constexpr int64_t kGuestHeadroom = 730 * kMiB;

// How often to look follows from the headroom and the burst to be feared, so the burst is scaled instead.
absl::StatusOr<std::string> ScaledBurst() {
  const auto meminfo = kernel::ParseMeminfo(lab::ReadWholeFile("/proc/meminfo"));
  if (!meminfo.ok()) return meminfo.status();
  const int64_t critical = agent::ToBytes(agent::Thresholds{}, meminfo->total_bytes).critical;
  const double scale = static_cast<double>(meminfo->available_bytes - critical) / kGuestHeadroom;
  if (scale <= 0) return absl::FailedPreconditionError("this machine is itself short of memory");
  return absl::StrFormat("%dMiB", static_cast<int64_t>(scale * 1024));
}

// Nanoseconds all its threads have run.
double RunTime(pid_t pid) {
  double sum = 0;
  std::error_code ignored;
  for (const auto& task : std::filesystem::directory_iterator(StrCat("/proc/", pid, "/task"), ignored)) {
    double ran = 0;
    std::ifstream(task.path() / "schedstat") >> ran;
    sum += ran;
  }
  return sum;
}

}  // namespace

absl::StatusOr<std::vector<Figure>> MeasureAgentHere() {
  auto workspace = lab::Workspace::Create();
  if (!workspace.ok()) return workspace.status();
  const auto burst = ScaledBurst();
  if (!burst.ok()) return burst.status();
  const std::string socket = workspace->Path("agent.sock");
  auto agent = lab::ChildProcess::Start(
      {.argv = {BALLAST_AGENT, "--no-vsock", "--socket", socket, "--no-bpf", "--no-kmsg", "--no-protection",
                "--online", "off", "--assumed-burst", *burst},
       .log_path = workspace->Path("agent.log")});
  if (!agent.ok()) return agent.status();
  const auto address = ParseAddress(StrCat("unix:", socket));
  if (!address.ok()) return address.status();
  const auto watch = lab::AgentWatch::Connect(*address);
  if (!watch.ok()) return watch.status();
  absl::SleepFor(kSettle);
  const double before = RunTime(agent->pid());
  const absl::Time began = absl::Now();
  const size_t reports = (*watch)->Reports().size();
  absl::SleepFor(kQuiet);
  const double ran = RunTime(agent->pid()) - before;
  const double percent = ran / static_cast<double>(absl::ToInt64Nanoseconds(absl::Now() - began)) * 100;
  if (!agent->IsRunning() || ran <= 0) return absl::InternalError(StrCat("the agent ended: ", agent->Log()));
  return std::vector<Figure>{
      {"agent_quiet_cpu_here_percent", percent, "% of a core", "<= 0.01", percent <= 0.01, "",
       absl::StrFormat(
           "on this machine itself over %s, looking as often as in a 1 GiB guest (--assumed-burst "
           "%s), %d reports to one watcher, no BPF",
           absl::FormatDuration(kQuiet), *burst, (*watch)->Reports().size() - reports)}};
}

}  // namespace ballast::bench
