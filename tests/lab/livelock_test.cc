// An agent that reports a shortage must live through it: a storm of allocators holds a guest at nothing for a
// minute, and the reports must go on. The same agent without its measures is shown beside it.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "common/base/units.h"
#include "tests/lab/agent_watch.h"
#include "tests/lab/lab_fixture.h"

namespace ballast::lab {
namespace {

constexpr int kSeconds = 60;
constexpr int64_t kGuestMib = 384;
constexpr int64_t kZramMib = 192;

struct Outcome {
  size_t reports = 0;
  absl::Duration longest_gap;  // between two reports, the storm's ends included
  int64_t median_available_bytes = 0;
  bool same_agent = false;  // alive, and never restarted
  absl::Status stream;
  std::string storm;  // what it said at the end
};

class LivelockTest : public LabTest {
 protected:
  void Weather(bool protect, Outcome& outcome) {
    GuestOptions options{
        .name = protect ? "protected" : "plain", .memory_mib = kGuestMib, .cpus = 2, .zram_mib = kZramMib};
    if (!protect) options.agent_args = {"--no-protection"};
    Guest* guest = Boot(options);
    ASSERT_NE(guest, nullptr);
    auto watch = AgentWatch::Connect(guest->PortAddress(kAgentPort));
    ASSERT_TRUE(watch.ok()) << watch.status();
    const std::string before = guest->Exec("pidof ballast-agent")->output;
    const absl::Time start = absl::Now();
    auto storm =
        guest->ExecAsync(absl::StrFormat("lab-guest storm --workers 6 --mib 110 --seconds %d", kSeconds));
    ASSERT_TRUE(storm.ok()) << storm.status();
    const auto over = storm->Wait(absl::Seconds(4 * kSeconds));
    const absl::Time end = start + absl::Seconds(kSeconds);
    Judge((*watch)->Reports(), start, end, outcome);
    outcome.stream = (*watch)->Ended();
    outcome.storm = over.ok() ? over->output : over.status().ToString();
    const auto after = guest->Exec("pidof ballast-agent");
    outcome.same_agent = after.ok() && after->output == before && !before.empty();
  }

  static void Judge(const std::vector<AgentWatch::SeenReport>& reports, absl::Time start, absl::Time end,
                    Outcome& outcome) {
    std::vector<int64_t> available;
    absl::Time last = start; int64_t last_ns=0;
    for (const auto& report : reports) {
      if (report.at < start || report.at > end) continue;
      if (report.at - last > absl::Milliseconds(300)) printf("gap %f at %f; sampled gap %f\n", absl::ToDoubleSeconds(report.at - last), absl::ToDoubleSeconds(report.at-start), (report.sampled_ns-last_ns)*1e-9);
      outcome.longest_gap = std::max(outcome.longest_gap, report.at - last);
      last = report.at; last_ns=report.sampled_ns;
      available.push_back(report.available_bytes);
    }
    outcome.longest_gap = std::max(outcome.longest_gap, end - last);
    outcome.reports = available.size();
    if (available.empty()) return;
    const auto middle = available.begin() + static_cast<ptrdiff_t>(available.size() / 2);
    std::nth_element(available.begin(), middle, available.end());
    outcome.median_available_bytes = *middle;
  }

  static void Print(const char* name, const Outcome& outcome) {
    std::printf("%-12s %5zu reports, longest gap %7.3f s, median MemAvailable %5.1f MiB, agent %s, %s", name,
                outcome.reports, absl::ToDoubleSeconds(outcome.longest_gap),
                static_cast<double>(outcome.median_available_bytes) / kMiB,
                outcome.same_agent ? "alive" : "GONE", outcome.storm.c_str());
  }
};

TEST_F(LivelockTest, ReportsGoOnWhileNothingIsAvailable) {
  Outcome with;
  ASSERT_NO_FATAL_FAILURE(Weather(/*protect=*/true, with));
  Outcome without;
  ASSERT_NO_FATAL_FAILURE(Weather(/*protect=*/false, without));
  Print("protected", with);
  Print("plain", without);
  EXPECT_TRUE(with.same_agent) << "the agent was a victim";
  EXPECT_EQ(with.stream, absl::OkStatus());
  EXPECT_LE(with.longest_gap, absl::Seconds(1));
  EXPECT_LT(with.median_available_bytes, kGuestMib * kMiB * 3 / 100) << "the storm must leave nothing";
  RecordProperty("livelock_report_gap_max_ms", static_cast<int>(absl::ToInt64Milliseconds(with.longest_gap)));
}

}  // namespace
}  // namespace ballast::lab
