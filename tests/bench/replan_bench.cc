#include "tests/bench/replan_bench.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/strings/str_format.h"
#include "common/base/text.h"
#include "tests/host-bridge/policy/world.h"

namespace ballast::bench {
namespace {

using policy::Guest;
using policy::GuestFacts;
using policy::World;

constexpr int kGuests = 10'000;
constexpr int kWarmUp = 50;
constexpr int kCalls = 3000;
constexpr int kCountedCalls = 4;  // under the instruction counter, where each takes fifty times as long
constexpr Nanos kStep = Milliseconds(100);
constexpr double kGoalMs = 1;

enum class Host { kHealthy, kShort };

// 4 GiB guests with a fifth to a half of their memory available and a quarter of them ballooned, on a host
// that has plenty, or lacks a tenth of what is in use.
World MakeWorld(Host host) {
  World world;
  const int64_t total = kGuests * 4 * kGiB;
  world.Host(total, host == Host::kHealthy ? total / 2 : total / 20);
  for (int i = 0; i < kGuests; ++i) {
    Guest guest("guest-" + std::to_string(i));
    guest.Boot(4 * kGiB).Balloon(i % 4 == 0 ? kGiB : 0).Available(800 * kMiB + i % 13 * 100 * kMiB);
    world.With(guest.Weight(50 + i % 100));
  }
  return world;
}

// As the bridge gives them: the agents report, the monitors are read, the histories are those that the
// decision before left. Xorshift, since nothing here needs more.
class Readings {
 public:
  void Renew(World& world) {
    world.now = world.now + kStep;
    world.snapshot.host->at = world.now;
    for (GuestFacts& facts : world.snapshot.guests) {
      facts.report->at = world.now;
      facts.vmm->at = world.now;
      if (facts.history.target) facts.vmm->value.balloon_actual = *facts.history.target;
      state_ ^= state_ << 13;
      state_ ^= state_ >> 7;
      state_ ^= state_ << 17;
      policy::GuestReading& reading = facts.report->value;
      reading.total_bytes = facts.vmm->value.base_bytes - facts.vmm->value.balloon_actual.count;
      const int64_t drift = (static_cast<int64_t>(state_ % 2048) - 1024) * 4 * kKiB;
      const int64_t most = reading.total_bytes;
      reading.available_bytes = std::clamp<int64_t>(reading.available_bytes + drift, most / 5, most / 2);
      reading.free_bytes = reading.available_bytes / 2;
      reading.consumption_bytes_per_second = -drift * 10;
    }
  }

 private:
  uint64_t state_ = 88'172'645'463'325'252;
};

void Carry(policy::Outcome& outcome, World& world) {
  for (size_t i = 0; i < world.snapshot.guests.size(); ++i) {
    std::swap(world.snapshot.guests[i].history, outcome.histories[i]);
  }
  world.snapshot.host_history = outcome.host_history;
}

struct Timing {
  std::vector<double> ms;
  std::vector<double> cpu_ms;  // the thread's own time: what is left when others use the machine too
  double decisions = 0;        // of a call, in the mean
};

double CpuMs() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

Timing Measure(Host host, int calls) {
  World world = MakeWorld(host);
  Readings readings;
  policy::Decider decider;
  Timing timing;
  for (int call = -kWarmUp; call < calls; ++call) {
    readings.Renew(world);
    const double cpu_began = CpuMs();
    const auto began = std::chrono::steady_clock::now();
    policy::Outcome& outcome = decider.Decide(world.snapshot, world.config, world.now);
    const auto ended = std::chrono::steady_clock::now();
    const double cpu_ended = CpuMs();
    if (call >= 0) {
      timing.ms.push_back(std::chrono::duration<double, std::milli>(ended - began).count());
      timing.cpu_ms.push_back(cpu_ended - cpu_began);
      timing.decisions += static_cast<double>(outcome.decisions.size()) / calls;
    }
    Carry(outcome, world);
  }
  return timing;
}

// What follows `label` in `text`, as a number.
std::optional<int64_t> NumberAfter(std::string_view text, std::string_view label) {
  const size_t found = text.find(label);
  if (found == std::string_view::npos) return std::nullopt;
  const size_t first = text.find_first_of("0123456789", found + label.size());
  if (first == std::string_view::npos) return std::nullopt;
  int64_t number = 0;
  const auto parsed = std::from_chars(text.data() + first, text.data() + text.size(), number);
  return parsed.ec == std::errc() ? std::optional(number) : std::nullopt;
}

// The instructions within Decider::Decide of a run of this program with so many decisions.
absl::StatusOr<int64_t> InstructionsOf(int calls) {
  std::error_code error;
  const std::string self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return absl::InternalError("/proc/self/exe cannot be read");
  const std::string command = absl::StrFormat(
      "valgrind --tool=callgrind --callgrind-out-file=/dev/null "
      "'--toggle-collect=ballast::policy::Decider::Decide*' "
      "'%s' %s %d 2>&1",
      self, kReplanArgument, calls);
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(
      popen(command.c_str(), "r"), +[](FILE* file) { return pclose(file); });
  if (pipe == nullptr) return absl::InternalError("no child process");
  std::string output;
  std::array<char, 4096> part{};
  while (const size_t size = std::fread(part.data(), 1, part.size(), pipe.get()))
    output.append(part.data(), size);
  if (output.find("callgrind") == std::string::npos && output.find("Callgrind") == std::string::npos)
    return absl::UnavailableError("valgrind is not installed");
  const auto collected = NumberAfter(output, "Collected :");
  if (!collected) return absl::InternalError(StrCat("valgrind does not say what it counted: ", output));
  return *collected;
}

// From a run with N and one with 2 N decisions: what a first one costs more cancels out.
Figure Instructions() {
  Figure figure{"replan_10000_guests_instructions", std::nullopt, "instr", "", std::nullopt, "", ""};
  const auto once = InstructionsOf(kCountedCalls);
  const auto twice = once.ok() ? InstructionsOf(2 * kCountedCalls) : once;
  if (!twice.ok()) {
    figure.how = "not measured: " + MessageOf(twice.status());
    return figure;
  }
  if (*twice <= *once) {
    figure.how = "not measured: the counter did not see the decisions";
    return figure;
  }
  figure.value = static_cast<double>(*twice - *once) / kCountedCalls;
  figure.peer = absl::StrFormat("%.0f a guest", *figure.value / kGuests);
  figure.how =
      "of one decision with the host healthy, counted by callgrind; the same on every machine of one kind";
  return figure;
}

std::string BesideOf(const Timing& timing) {
  return absl::StrFormat("p50 %.3f ms; the thread's CPU time p50 %.3f, p99 %.3f ms",
                         Percentile(timing.ms, 0.5), Percentile(timing.cpu_ms, 0.5),
                         Percentile(timing.cpu_ms, 0.99));
}

}  // namespace

absl::StatusOr<std::vector<Figure>> MeasureReplan() {
  const Timing steady = Measure(Host::kHealthy, kCalls);
  const Timing under_pressure = Measure(Host::kShort, kCalls);
  const auto how = [](const char* host, const Timing& timing) {
    return absl::StrFormat(
        "Decider::Decide for %d guests on one thread, host %s, every reading new at each of %d calls, %.1f "
        "decisions a "
        "call",
        kGuests, host, timing.ms.size(), timing.decisions);
  };
  const double p50 = Percentile(steady.ms, 0.5);
  const double p99 = Percentile(steady.ms, 0.99);
  std::vector<Figure> figures;
  figures.push_back({"replan_10000_guests_p99_ms", p99, "ms", absl::StrFormat("<= %.0f", kGoalMs),
                     p99 <= kGoalMs, BesideOf(steady), how("healthy", steady)});
  figures.push_back({"replan_10000_guests_p50_ms", p50, "ms", "", std::nullopt, "", how("healthy", steady)});
  figures.push_back({"replan_10000_guests_pressure_p99_ms", Percentile(under_pressure.ms, 0.99), "ms", "",
                     std::nullopt, BesideOf(under_pressure), how("under pressure", under_pressure)});
  figures.push_back(Instructions());
  return figures;
}

int ReplanOnly(const char* calls) {
  int count = 0;
  const std::string_view text = calls;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), count);
  if (parsed.ec != std::errc() || count < 1 || count > 1000) return 2;
  World world = MakeWorld(Host::kHealthy);
  Readings readings;
  policy::Decider decider;
  for (int call = 0; call < count; ++call) {
    readings.Renew(world);
    Carry(decider.Decide(world.snapshot, world.config, world.now), world);
  }
  return 0;
}

}  // namespace ballast::bench
