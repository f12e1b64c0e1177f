#include "tests/bench/livelock_bench.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "tests/lab/agent_watch.h"
#include "tests/lab/guest.h"

namespace ballast::bench {
namespace {

constexpr int kSeconds = 60;
constexpr int64_t kGuestMib = 384;
constexpr int64_t kZramMib = 192;

struct Outcome {
  size_t reports = 0;
  absl::Duration longest_gap;   // between arrivals, from the first critical report to the storm's end
  absl::Duration longest_look;  // between samples, by the guest's clock
  int64_t median_available_bytes = 0;
  bool same_agent = false;  // alive, and never restarted
  std::string storm;        // what it said at the end
};

Outcome Judge(const std::vector<lab::AgentWatch::SeenReport>& reports, absl::Time end) {
  Outcome outcome;
  std::vector<int64_t> available;
  const lab::AgentWatch::SeenReport* last = nullptr;
  for (const auto& report : reports) {
    if (report.at > end || (last == nullptr && report.level != guest::v1::LEVEL_CRITICAL)) continue;
    if (last != nullptr) {
      outcome.longest_gap = std::max(outcome.longest_gap, report.at - last->at);
      outcome.longest_look =
          std::max(outcome.longest_look, absl::Nanoseconds(report.sampled_ns - last->sampled_ns));
    }
    last = &report;
    available.push_back(report.available_bytes);
  }
  if (last == nullptr) return outcome;
  outcome.longest_gap = std::max(outcome.longest_gap, end - last->at);
  outcome.reports = available.size();
  const auto middle = available.begin() + static_cast<ptrdiff_t>(available.size() / 2);
  std::nth_element(available.begin(), middle, available.end());
  outcome.median_available_bytes = *middle;
  return outcome;
}

absl::StatusOr<Outcome> Weather(bool protect) {
  lab::GuestOptions options{
      .name = protect ? "protected" : "plain", .memory_mib = kGuestMib, .cpus = 2, .zram_mib = kZramMib};
  if (!protect) options.agent_args = {"--no-protection"};
  auto guest = lab::Guest::Boot(options);
  if (!guest.ok()) return guest.status();
  auto watch = lab::AgentWatch::Connect((*guest)->PortAddress(lab::kAgentPort));
  if (!watch.ok()) return watch.status();
  const auto before = (*guest)->Exec("pidof ballast-agent");
  if (!before.ok()) return before.status();
  const absl::Time start = absl::Now();
  auto storm =
      (*guest)->ExecAsync(absl::StrFormat("lab-guest storm --workers 6 --mib 110 --seconds %d", kSeconds));
  if (!storm.ok()) return storm.status();
  const auto over = storm->Wait(absl::Seconds(4 * kSeconds));
  Outcome outcome = Judge((*watch)->Reports(), start + absl::Seconds(kSeconds));
  outcome.storm = over.ok() ? over->output : MessageOf(over.status());
  const auto after = (*guest)->Exec("pidof ballast-agent");
  outcome.same_agent = after.ok() && after->output == before->output && !before->output.empty();
  if (outcome.reports == 0) return absl::InternalError("the storm left the guest enough: " + outcome.storm);
  return outcome;
}

std::string Said(const Outcome& outcome) {
  return absl::StrFormat("%d reports, %.2f s between arrivals, %.2f s between samples, agent %s",
                         outcome.reports, absl::ToDoubleSeconds(outcome.longest_gap),
                         absl::ToDoubleSeconds(outcome.longest_look), outcome.same_agent ? "alive" : "gone");
}

}  // namespace

absl::StatusOr<std::vector<Figure>> MeasureLivelock() {
  const auto with = Weather(/*protect=*/true);
  if (!with.ok()) return with.status();
  const auto without = Weather(/*protect=*/false);
  if (!without.ok()) return without.status();
  const double gap = absl::ToDoubleSeconds(with->longest_gap);
  const double look = absl::ToDoubleSeconds(with->longest_look);
  const std::string how = absl::StrFormat(
      "%d s of six processes that want 660 MiB of a guest with %d MiB and %d MiB of zram on two emulated "
      "processors; "
      "MemAvailable at the median %.1f MiB; %s; agent %s",
      kSeconds, kGuestMib, kZramMib, static_cast<double>(with->median_available_bytes) / kMiB,
      with->storm.substr(0, with->storm.find('\n')), with->same_agent ? "alive" : "GONE");
  const std::string peer = "without its measures: " + Said(*without);
  return std::vector<Figure>{
      {"livelock_report_gap_max_s", gap, "s", "<= 1", gap <= 1 && with->same_agent, peer, how},
      {"livelock_sample_gap_max_s", look, "s", "", std::nullopt, peer,
       "the same storm, by the guest's clock"}};
}

}  // namespace ballast::bench
