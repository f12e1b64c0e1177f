#include "tests/bench/latency_bench.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <random>
#include <thread>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "common/base/text.h"
#include "common/kernel/meminfo_parser.h"
#include "common/os/clock.h"
#include "common/os/file_reader.h"
#include "tests/lab/bridge_process.h"
#include "tests/process/rig.h"

namespace ballast::bench {
namespace {

constexpr int kRounds = 200;
constexpr int kPolledRounds = 12;  // each takes a whole polling period
constexpr int kPollers = 10;
constexpr Nanos kPollPeriod = Seconds(5);
constexpr int64_t kTaken = 768 * kMiB;
constexpr int64_t kComfortable = 150 * kMiB;
constexpr int64_t kShort = 8 * kMiB;
constexpr int64_t kRampBytesPerMs =
    400 * kMiB / 1000;  // an allocator of 400 MiB/s, about what an emulated guest reaches

// What eight teams wrote: every five seconds read the figures, below a limit give memory back. Only the
// reading and the decision are timed; its command is taken to cost nothing.
class Poller {
 public:
  Poller(const std::string& root, Nanos phase)
      : thread_([this, root, phase](const std::stop_token& stop) { Run(stop, FileReader(root), phase); }) {}

  [[nodiscard]] MonotonicTime SawAt() const { return MonotonicTime{saw_ns_.load()}; }

 private:
  void Run(const std::stop_token& stop, const FileReader& files, Nanos phase) {
    const SystemClock clock;
    MonotonicTime next = clock.Now() + phase;
    while (!stop.stop_requested()) {
      const Nanos wait = next - clock.Now();
      if (wait.count > 0) {
        // In slices, so that the end of a round does not wait for a whole period.
        std::this_thread::sleep_for(std::chrono::nanoseconds(std::min(wait, Milliseconds(20)).count));
        continue;
      }
      next = next + kPollPeriod;
      const auto text = files.Read("/proc/meminfo");
      if (!text.ok()) continue;
      const auto meminfo = kernel::ParseMeminfo(*text);
      if (meminfo.ok() && meminfo->available_bytes < 32 * kMiB && saw_ns_.load() == 0)
        saw_ns_ = clock.Now().ns;
    }
  }

  std::atomic<int64_t> saw_ns_{0};
  std::jthread thread_;
};

struct Samples {
  std::vector<double> onset_to_command_ms;  // stamped by agent and bridge
  std::vector<double> burst_to_vmm_ms;      // from the burst's first page to the bytes at the monitor
  std::vector<double> poller_ms;            // from the same onset to the poller's own decision
};

void RampDown(fakes::GuestTree& guest) {
  for (int64_t available = kComfortable; available > kShort; available -= kRampBytesPerMs) {
    guest.SetAvailable(available);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  guest.SetAvailable(kShort);
}

absl::Status Round(process::Rig& rig, bool polled, std::mt19937_64& random, Samples& samples) {
  rig.Guest().SetAvailable(kComfortable);
  rig.Balloon(kTaken);
  rig.StartBridge();
  if (!rig.BridgeSays("vmm: connected") || !rig.BridgeSays("agent: ")) {
    return absl::InternalError(StrCat("the bridge did not connect:\n", rig.BridgeLog()));
  }
  std::vector<std::unique_ptr<Poller>> pollers;
  for (int i = 0; polled && i < kPollers; ++i) {
    const Nanos phase{std::uniform_int_distribution<int64_t>(0, kPollPeriod.count)(random)};
    pollers.push_back(std::make_unique<Poller>(rig.Guest().Root(), phase));
  }
  // Not in step with anything the programs do.
  absl::SleepFor(absl::Microseconds(std::uniform_int_distribution<int>(0, 100'000)(random)));
  const size_t before = rig.Vmm().Log().size();
  const MonotonicTime burst = SystemClock().Now();
  RampDown(rig.Guest());
  if (!rig.BridgeSays("after pressure began")) {
    return absl::InternalError(StrCat("no command came:\n", rig.BridgeLog()));
  }
  const auto commands = lab::ParseCommands(rig.BridgeLog());
  if (commands.empty() || !commands.front().after_onset_ms)
    return absl::InternalError("no receipt in the log");
  const std::vector<fakes::FakeQmp::Received> log = rig.Vmm().Log();
  const auto written = std::find_if(log.begin() + static_cast<std::ptrdiff_t>(before), log.end(),
                                    [](const auto& received) { return received.command == "balloon"; });
  if (written == log.end()) return absl::InternalError("the monitor got no command");
  samples.onset_to_command_ms.push_back(*commands.front().after_onset_ms);
  samples.burst_to_vmm_ms.push_back(static_cast<double>((written->at - burst).count) / 1e6);
  const MonotonicTime onset =
      written->at - Nanos{static_cast<int64_t>(*commands.front().after_onset_ms * 1e6)};
  for (const auto& poller : pollers) {
    while (poller->SawAt().ns == 0) absl::SleepFor(absl::Milliseconds(5));
    samples.poller_ms.push_back(static_cast<double>((poller->SawAt() - onset).count) / 1e6);
  }
  return rig.StopBridge() ? absl::OkStatus() : absl::InternalError("the bridge did not end in order");
}

}  // namespace

absl::StatusOr<std::vector<Figure>> MeasureLatency() {
  process::Rig rig;
  rig.StartAgent();
  std::mt19937_64 random(1);
  Samples samples;
  for (int round = 0; round < kRounds; ++round) {
    // The polled rounds are spread over the run, so that both see the same machine.
    const bool polled = round % (kRounds / kPolledRounds) == 0;
    if (auto status = Round(rig, polled, random, samples); !status.ok()) return status;
  }
  const double p50 = Percentile(samples.onset_to_command_ms, 0.5);
  const double p99 = Percentile(samples.onset_to_command_ms, 0.99);
  const double poller_p50 = Percentile(samples.poller_ms, 0.5);
  const double poller_p99 = Percentile(samples.poller_ms, 0.99);
  const std::string beside = absl::StrFormat("5 s poller: p50 %.0f ms, p99 %.0f ms (n=%d)", poller_p50,
                                             poller_p99, samples.poller_ms.size());
  const std::string how = absl::StrFormat(
      "agent's first pressed sample to the bridge's write, real programs on Unix sockets, fake monitor, %d "
      "bursts of "
      "400 MiB/s",
      samples.onset_to_command_ms.size());
  std::vector<Figure> figures;
  figures.push_back({"pressure_to_command_p50_ms", p50, "ms", "", std::nullopt, beside, how});
  figures.push_back({"pressure_to_command_p99_ms", p99, "ms", "<= 10", p99 <= 10, beside, how});
  const double ratio = poller_p99 / p99;
  figures.push_back(
      {"pressure_to_command_vs_poller_ratio", ratio, "x", ">= 200", ratio >= 200, beside,
       "p99 of the poller over p99 of Ballast, from the same onsets in the same run; the poller's own "
       "command is not counted"});
  figures.push_back(
      {"burst_start_to_vmm_p99_ms", Percentile(samples.burst_to_vmm_ms, 0.99), "ms", "", std::nullopt,
       absl::StrFormat("p50 %.1f ms", Percentile(samples.burst_to_vmm_ms, 0.5)),
       "first page of the burst to the command's bytes at the monitor: what noticing costs is in it "
       "(at 150 MiB available the agent looks every 29 ms)"});
  return figures;
}

}  // namespace ballast::bench
