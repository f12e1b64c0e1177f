#include "tests/lab/livelock.h"

#include <algorithm>

#include "absl/time/clock.h"
#include "common/base/text.h"

namespace ballast::lab {
namespace {

void JudgeReports(const std::vector<AgentWatch::SeenReport>& reports, absl::Time end, StormOutcome& outcome) {
  std::vector<int64_t> available;
  const AgentWatch::SeenReport* last = nullptr;
  for (const auto& seen : reports) {
    if (seen.at > end || (last == nullptr && seen.report.level() != guest::v1::LEVEL_CRITICAL)) continue;
    if (last != nullptr) {
      outcome.longest_gap = std::max(outcome.longest_gap, seen.at - last->at);
      outcome.longest_look = std::max(
          outcome.longest_look, absl::Nanoseconds(seen.report.monotonic_ns() - last->report.monotonic_ns()));
    }
    last = &seen;
    available.push_back(seen.report.meminfo().available_bytes());
  }
  if (last == nullptr) return;
  outcome.longest_gap = std::max(outcome.longest_gap, end - last->at);
  outcome.reports = available.size();
  const auto middle = available.begin() + static_cast<ptrdiff_t>(available.size() / 2);
  std::nth_element(available.begin(), middle, available.end());
  outcome.median_available_bytes = *middle;
}

int64_t CriticalBytes(const guest::v1::Hello& hello) {
  const guest::v1::Limit& limit = hello.thresholds().critical();
  return std::clamp(hello.report().meminfo().total_bytes() / 10'000 * limit.permyriad(), limit.min_bytes(),
                    limit.max_bytes());
}

}  // namespace

GuestOptions StormGuest(const std::string& name) {
  return {.name = name, .memory_mib = 384, .cpus = 2, .zram_mib = 192};
}

absl::StatusOr<StormOutcome> WeatherStorm(Guest& guest, absl::Duration length) {
  auto watch = AgentWatch::Connect(guest.PortAddress(kAgentPort));
  if (!watch.ok()) return watch.status();
  const auto before = guest.Exec("pidof ballast-agent");
  if (!before.ok()) return before.status();
  const absl::Time end = absl::Now() + length;
  auto storm = guest.ExecAsync(
      StrCat("lab-guest storm --workers 6 --mib 110 --seconds ", absl::ToInt64Seconds(length)));
  if (!storm.ok()) return storm.status();
  const auto over = storm->Wait(4 * length);  // its own seconds may be long ones
  StormOutcome outcome;
  outcome.watched = (*watch)->Ended().ok();
  JudgeReports((*watch)->Reports(), end, outcome);
  outcome.critical_bytes = CriticalBytes((*watch)->hello());
  outcome.storm = over.ok() ? over->output : MessageOf(over.status());
  outcome.verdicts = (*watch)->Verdicts(0, absl::ZeroDuration());
  outcome.agent_pids = before->output;
  const auto after = guest.Exec("pidof ballast-agent");
  outcome.same_agent = after.ok() && after->output == before->output && !before->output.empty();
  if (outcome.reports == 0) return absl::InternalError("the storm left the guest enough: " + outcome.storm);
  return outcome;
}

}  // namespace ballast::lab
