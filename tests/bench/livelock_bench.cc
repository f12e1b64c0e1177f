#include "tests/bench/livelock_bench.h"

#include <string>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "common/base/units.h"
#include "tests/lab/guest.h"
#include "tests/lab/livelock.h"

namespace ballast::bench {
namespace {

constexpr int kSeconds = 60;

absl::StatusOr<lab::StormOutcome> Weather(bool protect) {
  lab::GuestOptions options = lab::StormGuest(protect ? "protected" : "plain");
  if (!protect) options.agent_args = {"--no-protection"};
  auto guest = lab::Guest::Boot(options);
  if (!guest.ok()) return guest.status();
  return lab::WeatherStorm(**guest, absl::Seconds(kSeconds));
}

std::string Said(const lab::StormOutcome& outcome) {
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
  const lab::GuestOptions guest = lab::StormGuest("");
  const std::string how = absl::StrFormat(
      "%d s of six processes that want 660 MiB of a guest with %d MiB and %d MiB of zram on two emulated "
      "processors; "
      "MemAvailable at the median %.1f MiB; %s; agent %s",
      kSeconds, guest.memory_mib, guest.zram_mib, static_cast<double>(with->median_available_bytes) / kMiB,
      with->storm.substr(0, with->storm.find('\n')), with->same_agent ? "alive" : "GONE");
  const std::string peer = "without its measures: " + Said(*without);
  return std::vector<Figure>{
      {"livelock_report_gap_max_s", gap, "s", "<= 1", gap <= 1 && with->same_agent, peer, how},
      {"livelock_sample_gap_max_s", look, "s", "", std::nullopt, peer,
       "the same storm, by the guest's clock"}};
}

}  // namespace ballast::bench
