#include "tests/bench/agent_bench.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "tests/lab/bridge_process.h"
#include "tests/lab/guest.h"

namespace ballast::bench {
namespace {

constexpr absl::Duration kQuiet = absl::Minutes(10);
constexpr absl::Duration kArmed = absl::Minutes(2);
// The start is over, connections are made, and what only they needed is let go.
constexpr absl::Duration kSettle = absl::Seconds(75);

// Of one process in the guest, by the kernel's own account.
struct Use {
  double rss_kib = 0;
  double anon_kib = 0;
  double cpu_ns = 0;
  double sleeps = 0;  // how often its threads went to sleep, and so were woken
};

struct Uses {
  Use agent;
  Use qemu_ga;
  Use poll;
  absl::Time at;
};

// smaps_rollup counts pages one by one; the totals of /proc/PID/status lag behind by some per thread.
constexpr const char* kLook =
    "for name in ballast-agent qemu-ga lab-guest-poll; do p=$(grep -lx $name /proc/[0-9]*/comm | cut -d/ "
    "-f3); "
    "[ $name != qemu-ga ] || p=$(cat /run/qga.pid); "  // started through its loader, whose name it bears
    "[ -n \"$p\" ] || { echo $name 0 0 0 0; continue; }; "
    "echo $name $(awk '/^Rss:/ {r=$2} /^Anonymous:/ {a=$2} END {print r, a}' /proc/$p/smaps_rollup) "
    "$(cat /proc/$p/task/*/schedstat | awk '{s+=$1} END {printf \"%.0f\", s}') "
    "$(cat /proc/$p/task/*/status | awk '/^voluntary_ctxt/ {s+=$2} END {print s}'); done";

absl::StatusOr<Uses> Look(lab::Guest& guest) {
  const auto output = guest.Exec(kLook);
  if (!output.ok()) return output.status();
  Uses uses;
  uses.at = absl::Now();
  std::istringstream lines(output->output);
  std::string name;
  for (Use* use : {&uses.agent, &uses.qemu_ga, &uses.poll}) {
    if (!(lines >> name >> use->rss_kib >> use->anon_kib >> use->cpu_ns >> use->sleeps)) {
      return absl::InternalError(StrCat("the guest said: ", output->output));
    }
  }
  for (const Use* use : {&uses.agent, &uses.qemu_ga, &uses.poll}) {
    if (use->rss_kib == 0) return absl::InternalError(StrCat("not all of them run: ", output->output));
  }
  return uses;
}

// Over a while.
struct Share {
  double percent = 0;  // of a core
  double wakes = 0;    // a second
};

Share ShareOf(const Use& before, const Use& after, absl::Duration span) {
  return {(after.cpu_ns - before.cpu_ns) / static_cast<double>(absl::ToInt64Nanoseconds(span)) * 100,
          (after.sleeps - before.sleeps) / absl::ToDoubleSeconds(span)};
}

struct Shares {
  Share agent;
  Share qemu_ga;
  Share poll;
  Uses last;
};

absl::StatusOr<Shares> Watch(lab::Guest& guest, absl::Duration span) {
  const auto before = Look(guest);
  if (!before.ok()) return before.status();
  absl::SleepFor(span);
  const auto after = Look(guest);
  if (!after.ok()) return after.status();
  const absl::Duration passed = after->at - before->at;
  return Shares{ShareOf(before->agent, after->agent, passed),
                ShareOf(before->qemu_ga, after->qemu_ga, passed), ShareOf(before->poll, after->poll, passed),
                *after};
}

// qemu-ga and its libraries as a second archive behind the guest's own, where this machine has them unpacked.
absl::StatusOr<std::string> InitramfsWithPeers(const lab::Assets& assets, const std::string& directory) {
  const std::string peers = assets.cache + "/qemu-ga.cpio.gz";
  if (!std::filesystem::exists(peers)) {
    return absl::FailedPreconditionError(StrCat(peers, " is missing: ./dev bench fetches it"));
  }
  const std::string path = directory + "/with-peers.cpio.gz";
  std::ofstream joined(path, std::ios::binary);
  for (const std::string& part : {assets.initramfs, peers}) {
    std::ifstream file(part, std::ios::binary);
    joined << file.rdbuf();
  }
  joined.flush();
  if (!joined) return absl::InternalError(StrCat("cannot write ", path));
  return path;
}

absl::Status StartPeers(lab::Guest& guest) {
  const auto started = guest.Exec(
      "mkdir -p /var/run; (cd /peers && ./ld.so --library-path /peers ./qemu-ga -d -m unix-listen -p "
      "/run/qga.sock "
      "-f /run/qga.pid) && ln -s lab-guest /bin/lab-guest-poll && (lab-guest-poll poll --ms 1000 >/dev/null "
      "2>&1 &); "
      "sleep 1; pidof lab-guest-poll");
  if (!started.ok()) return started.status();
  if (started->status != 0) return absl::InternalError(StrCat("peers do not start: ", started->output));
  return absl::OkStatus();
}

std::string Beside(const char* what, double qemu_ga, double poll) {
  return absl::StrFormat("qemu-ga %.3g, poll loop %.3g %s", qemu_ga, poll, what);
}

std::string WakesOf(const Shares& shares) {
  return absl::StrFormat("%.1f wake-ups a second (qemu-ga %.1f, poll loop %.1f)", shares.agent.wakes,
                         shares.qemu_ga.wakes, shares.poll.wakes);
}

double BinaryMib(const std::string& kib_text) { return std::stod(kib_text) / 1024; }

absl::StatusOr<std::vector<Figure>> FiguresOf(lab::Guest& guest, const Shares& quiet, const Shares& armed) {
  const auto size = guest.Exec("echo $(( $(stat -c %s /bin/ballast-agent) / 1024 ))");
  if (!size.ok()) return size.status();
  const double rss = quiet.last.agent.rss_kib / 1024;
  const double anon = quiet.last.agent.anon_kib / 1024;
  const std::string where = absl::StrFormat(
      "in a 1 GiB guest with two emulated processors (emulation multiplies times), one bridge watching");
  return std::vector<Figure>{
      {"agent_rss_mib", rss, "MiB", "<= 6", rss <= 6,
       Beside("MiB", quiet.last.qemu_ga.rss_kib / 1024, quiet.last.poll.rss_kib / 1024),
       "smaps_rollup after the quiet time, " + where},
      {"agent_anon_mib", anon, "MiB", "<= 1", anon <= 1,
       Beside("MiB", quiet.last.qemu_ga.anon_kib / 1024, quiet.last.poll.anon_kib / 1024),
       "anonymous part of it"},
      {"agent_binary_mib", BinaryMib(size->output), "MiB", "", std::nullopt, "", "stripped, static"},
      {"agent_quiet_cpu_percent", quiet.agent.percent, "% of a core", "<= 0.01", quiet.agent.percent <= 0.01,
       Beside("%", quiet.qemu_ga.percent, quiet.poll.percent),
       absl::StrFormat("all threads' run time over %s, %s, ", absl::FormatDuration(kQuiet), WakesOf(quiet)) +
           where},
      {"agent_armed_cpu_percent", armed.agent.percent, "% of a core", "<= 0.1", armed.agent.percent <= 0.1,
       Beside("%", armed.qemu_ga.percent, armed.poll.percent),
       absl::StrFormat("the same over %s with two thirds of the memory in use, %s",
                       absl::FormatDuration(kArmed), WakesOf(armed))}};
}

}  // namespace

absl::StatusOr<std::vector<Figure>> MeasureAgent() {
  const auto assets = lab::FindAssets();
  if (!assets.ok()) return assets.status();
  auto workspace = lab::Workspace::Create();
  if (!workspace.ok()) return workspace.status();
  const auto initramfs = InitramfsWithPeers(*assets, workspace->path());
  if (!initramfs.ok()) return initramfs.status();
  auto guest = lab::Guest::Boot({.name = "cost", .memory_mib = 1024, .cpus = 2, .initramfs = *initramfs});
  if (!guest.ok()) return guest.status();
  if (auto status = StartPeers(**guest); !status.ok()) return status;
  auto bridge = lab::BridgeProcess::Start(
      {guest->get()}, {.directory = workspace->path(), .guest_lines = "mode = observe", .arguments = {}});
  if (!bridge.ok()) return bridge.status();
  if (auto status = bridge->WaitUntilConnected(absl::Seconds(30)); !status.ok()) return status;
  absl::SleepFor(kSettle);
  const auto quiet = Watch(**guest, kQuiet);
  if (!quiet.ok()) return quiet.status();
  auto hog = (*guest)->ExecAsync("lab-guest hog --mib 680 --hold-ms 600000");
  if (!hog.ok()) return hog.status();
  absl::SleepFor(absl::Seconds(10));
  const auto armed = Watch(**guest, kArmed);
  if (!armed.ok()) return armed.status();
  return FiguresOf(**guest, *quiet, *armed);
}

namespace {

constexpr int kFaultRounds = 10;

// Milliseconds to fill memory; more than the guest has, so that it reclaims on the way.
absl::StatusOr<double> Fill(lab::Guest& guest) {
  const auto output = guest.Exec(
      "lab-guest hog --mib 240 | sed -n 's/.*done 240 MiB in \\([0-9]*\\) ms.*/\\1/p'", absl::Minutes(2));
  if (!output.ok()) return output.status();
  const double ms = std::atof(output->output.c_str());
  if (ms <= 0) return absl::InternalError(StrCat("the fill said: ", output->output));
  return ms;
}

absl::Status Restart(lab::Guest& guest, const std::string& arguments) {
  const auto done = guest.Exec(StrCat("killall ballast-agent; sleep 1; ballast-agent ", arguments,
                                      " >/dev/null 2>&1 & sleep 2; pidof ballast-agent"));
  if (!done.ok()) return done.status();
  return done->status == 0 ? absl::OkStatus() : absl::InternalError("the agent does not start again");
}

}  // namespace

absl::StatusOr<std::vector<Figure>> MeasureBpfOverhead() {
  auto guest = lab::Guest::Boot({.name = "faults", .memory_mib = 256, .cpus = 2, .zram_mib = 256});
  if (!guest.ok()) return guest.status();
  std::vector<double> with;
  std::vector<double> without;
  for (int round = 0; round < kFaultRounds; ++round) {
    const bool bpf = round % 2 == 0;
    if (auto status = Restart(**guest, bpf ? "" : "--no-bpf"); !status.ok()) return status;
    for (int again = 0; again < 2; ++again) {
      const auto ms = Fill(**guest);
      if (!ms.ok()) return ms.status();
      (bpf ? with : without).push_back(*ms);
    }
  }
  const double median_with = Percentile(with, 0.5);
  const double median_without = Percentile(without, 0.5);
  const double spread = (Percentile(without, 0.75) - Percentile(without, 0.25)) / median_without * 100;
  const double overhead = (median_with / median_without - 1) * 100;
  return std::vector<Figure>{
      {"bpf_page_fault_overhead_percent", overhead, "%", "within the noise", std::abs(overhead) <= spread,
       absl::StrFormat("quartiles without BPF lie %.1f %% apart", spread),
       absl::StrFormat(
           "medians of %d fills each of 240 MiB in a 256 MiB guest with zram, which faults and reclaims; "
           "%.0f ms with, %.0f ms without",
           with.size(), median_with, median_without)}};
}

}  // namespace ballast::bench
