#include "tests/lab/bursts.h"

#include <cstdio>

#include "absl/strings/str_format.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "tests/lab/bridge_process.h"

namespace ballast::lab {
namespace {

// Sizes from least to most in even steps, taken in an order that mixes small and large (7 is prime to the
// count or close enough: every size comes once for counts that are not multiples of 7).
int64_t SizeOf(const BurstPlan& plan, int index) {
  const int step = (index * 7) % plan.count;
  return plan.least_mib + (plan.most_mib - plan.least_mib) * step / std::max(1, plan.count - 1);
}

absl::StatusOr<BurstResult> RunBurst(Guest& guest, int64_t mib) {
  BurstResult burst;
  burst.mib = mib;
  auto before = guest.OomKills();
  if (!before.ok()) return before.status();
  auto work = guest.Exec(StrCat("lab-guest hog --mib ", mib, " --hold-ms 200"), absl::Seconds(60));
  if (!work.ok()) return work.status();
  burst.work_done = work->status == 0;
  long filled = 0;
  long took = 0;
  if (std::sscanf(work->output.c_str(), "hog: filled %ld MiB in %ld ms", &filled, &took) == 2)
    burst.fill_ms = took;
  auto after = guest.OomKills();
  if (!after.ok()) return after.status();
  burst.oom_kills = *after - *before;
  return burst;
}

absl::StatusOr<BurstResult> RunManaged(Guest& guest, int64_t mib, int index) {
  BridgeOptions options;
  options.directory = guest.directory();
  options.name = StrCat("bridge-", index);
  auto bridge = BridgeProcess::Start({&guest}, options);
  if (!bridge.ok()) return bridge.status();
  if (auto status = bridge->WaitUntilConnected(absl::Seconds(20)); !status.ok()) return status;
  auto burst = RunBurst(guest, mib);
  if (!burst.ok()) return WithContext(bridge->Log(), burst.status());
  for (const CommandLine& command : bridge->Commands()) {
    if (!burst->after_onset_ms) burst->after_onset_ms = command.after_onset_ms;
  }
  return burst;
}

}  // namespace

absl::StatusOr<std::vector<BurstResult>> RunBursts(Guest& guest, const BurstPlan& plan) {
  std::vector<BurstResult> results;
  for (int i = 0; i < plan.count; ++i) {
    const int64_t mib = SizeOf(plan, i);
    if (auto status = guest.SetBalloon(plan.left_mib * kMiB); !status.ok()) return status;
    auto burst = plan.managed ? RunManaged(guest, mib, i) : RunBurst(guest, mib);
    if (!burst.ok()) return WithContext(StrCat("burst of ", mib, " MiB"), burst.status());
    results.push_back(*burst);
  }
  return results;
}

int64_t TotalKills(const std::vector<BurstResult>& results) {
  int64_t kills = 0;
  for (const BurstResult& burst : results) kills += burst.oom_kills;
  return kills;
}

int64_t TotalDone(const std::vector<BurstResult>& results) {
  int64_t done = 0;
  for (const BurstResult& burst : results) done += burst.work_done ? 1 : 0;
  return done;
}

std::string TableOf(const std::string& title, const std::vector<BurstResult>& results) {
  std::string table = StrCat(title, "\n    MiB   MiB/s  work    kills  command after\n");
  for (const BurstResult& burst : results) {
    const std::string rate = burst.fill_ms > 0 ? std::to_string(burst.mib * 1000 / burst.fill_ms) : "-";
    const std::string after = burst.after_onset_ms ? absl::StrFormat("%.2f ms", *burst.after_onset_ms) : "-";
    table += absl::StrFormat("  %5d  %6s  %-6s  %5d  %s\n", burst.mib, rate,
                             burst.work_done ? "done" : "lost", burst.oom_kills, after);
  }
  return table + absl::StrFormat("  total: %d of %d done, %d OOM kills\n", TotalDone(results), results.size(),
                                 TotalKills(results));
}

}  // namespace ballast::lab
