#include "tests/bench/burst_bench.h"

#include <cstdio>

#include "absl/strings/str_format.h"
#include "tests/lab/bursts.h"

namespace ballast::bench {
namespace {

constexpr int kBursts = 40;

absl::StatusOr<std::vector<lab::BurstResult>> Run(bool managed) {
  lab::GuestOptions options;
  options.name = managed ? "managed" : "alone";
  options.agent = managed;
  auto guest = lab::Guest::Boot(options);
  if (!guest.ok()) return guest.status();
  lab::BurstPlan plan;
  plan.count = kBursts;
  plan.managed = managed;
  auto results = lab::RunBursts(**guest, plan);
  if (results.ok())
    std::printf("%s", lab::TableOf(managed ? "with Ballast" : "without Ballast", *results).c_str());
  return results;
}

double MedianFill(const std::vector<lab::BurstResult>& results) {
  std::vector<double> rates;
  for (const lab::BurstResult& burst : results) {
    if (burst.fill_ms > 0)
      rates.push_back(static_cast<double>(burst.mib) * 1000 / static_cast<double>(burst.fill_ms));
  }
  return rates.empty() ? 0 : Percentile(rates, 0.5);
}

}  // namespace

absl::StatusOr<std::vector<Figure>> MeasureBursts() {
  const auto alone = Run(/*managed=*/false);
  if (!alone.ok()) return alone.status();
  const auto managed = Run(/*managed=*/true);
  if (!managed.ok()) return managed.status();
  std::vector<double> latencies;
  for (const lab::BurstResult& burst : *managed) {
    if (burst.after_onset_ms) latencies.push_back(*burst.after_onset_ms);
  }
  const int64_t kills = lab::TotalKills(*managed);
  const int64_t kills_alone = lab::TotalKills(*alone);
  const std::string how = absl::StrFormat(
      "%d bursts of 64-512 MiB at full speed (median %.0f MiB/s) in a 1 GiB guest with one vCPU, balloon at "
      "75 %%, "
      "deflate-on-oom off",
      kBursts, MedianFill(*managed));
  std::vector<Figure> figures;
  if (latencies.empty()) {
    figures.push_back({"pressure_to_command_guest_p99_ms", std::nullopt, "ms", "", std::nullopt, "",
                       "no burst was answered with a command"});
  } else {
    figures.push_back(
        {"pressure_to_command_guest_p99_ms", Percentile(latencies, 0.99), "ms", "", std::nullopt,
         absl::StrFormat("p50 %.2f ms (n=%d)", Percentile(latencies, 0.5), latencies.size()),
         "the guest agent's first pressed sample (its clock related to the host's) to the bridge's write, "
         "over vsock; " +
             how});
  }
  figures.push_back({"burst_oom_kills_managed", static_cast<double>(kills), "kills", "0", kills == 0,
                     absl::StrFormat("unmanaged: %d", kills_alone), how});
  figures.push_back({"burst_oom_kills_unmanaged", static_cast<double>(kills_alone), "kills", "> 0",
                     kills_alone > 0, absl::StrFormat("managed: %d", kills), how});
  figures.push_back({"burst_work_done_managed", static_cast<double>(lab::TotalDone(*managed)), "of 40", "40",
                     lab::TotalDone(*managed) == kBursts,
                     absl::StrFormat("unmanaged: %d", lab::TotalDone(*alone)), how});
  return figures;
}

}  // namespace ballast::bench
