#include "tests/bench/hotplug_bench.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "tests/lab/growth.h"
#include "tests/lab/unplug_yield.h"

namespace ballast::bench {
namespace {

constexpr double kYieldGoal = 95;
constexpr double kGrowthGoal = 32;

absl::StatusOr<Figure> YieldOf(lab::PlugKind kind, const std::string& name) {
  const auto ours = lab::UnplugByBallast(kind);
  if (!ours.ok()) return ours.status();
  const auto plain = lab::UnplugPlainly(kind, std::max(ours->took, lab::kLeastPatience));
  if (!plain.ok()) return plain.status();
  const double percent = lab::PercentOf(*ours);
  const bool unharmed = ours->workload_ran && ours->oom_kills == 0;
  return Figure{name,
                percent,
                "%",
                ">= 95",
                percent >= kYieldGoal && unharmed,
                absl::StrFormat("a plain request, onlined for the kernel: %.1f %%", lab::PercentOf(*plain)),
                absl::StrFormat("of %d MiB plugged, in %.1f s; %s%s%s", ours->requested_bytes >> 20,
                                absl::ToDoubleSeconds(ours->took), absl::StripSuffix(ours->workload, "\n"),
                                ours->reason.empty() ? "" : "; " + ours->reason,
                                unharmed ? "" : "; the workload was HARMED")};
}

}  // namespace

absl::StatusOr<std::vector<Figure>> MeasureUnplugYield() {
  const auto dimms = YieldOf(lab::PlugKind::kDimms, "unplug_yield_percent");
  if (!dimms.ok()) return dimms.status();
  const auto virtio = YieldOf(lab::PlugKind::kVirtioMem, "unplug_yield_virtio_mem_percent");
  if (!virtio.ok()) return virtio.status();
  return std::vector<Figure>{*dimms, *virtio};
}

absl::StatusOr<std::vector<Figure>> MeasureGrowth() {
  auto guest = lab::Guest::Boot(lab::SmallGuest());
  if (!guest.ok()) return guest.status();
  const auto watch = lab::AgentWatch::Connect((*guest)->PortAddress(lab::kAgentPort));
  if (!watch.ok()) return watch.status();
  lab::HotplugGuest blocks(**guest);
  const auto growth = lab::GrowInSteps(**guest, blocks, **watch);
  if (!growth.ok()) return growth.status();
  const double factor = growth->Factor();
  return std::vector<Figure>{
      {"grow_factor_without_oom", factor, "times", ">= 32", factor >= kGrowthGoal && growth->oom_kills == 0,
       "",
       absl::StrFormat(
           "a guest booted with %d MiB, by %d DIMMs that are each as large as its agent sees room for; "
           "%d OOM kills",
           lab::kSmallMib, growth->steps, growth->oom_kills)}};
}

}  // namespace ballast::bench
