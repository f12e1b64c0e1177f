// The agent lives through what it reports: a storm of allocators holds its guest at nothing, and it neither
// falls silent nor dies. How quick it stays is measured, not tested: ballast-bench livelock.
#include <cstdio>

#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "tests/lab/lab_fixture.h"
#include "tests/lab/livelock.h"

namespace ballast::lab {
namespace {

// The longest silence that is ordinary, from a quiet guest; three of them, and the bridge gives the guest up.
constexpr absl::Duration kSilent = absl::Seconds(10);

TEST_F(LabTest, AStormOfAllocatorsDoesNotSilenceTheAgent) {
  Guest* guest = Boot(StormGuest("storm"));
  ASSERT_NE(guest, nullptr);
  const auto outcome = WeatherStorm(*guest, absl::Seconds(20));
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  std::printf("%s",
              absl::StrFormat("%d reports, the longest gap %.2f s, %.2f s between samples; MemAvailable "
                              "at the median %.1f MiB; %d verdicts; %s",
                              outcome->reports, absl::ToDoubleSeconds(outcome->longest_gap),
                              absl::ToDoubleSeconds(outcome->longest_look),
                              static_cast<double>(outcome->median_available_bytes) / kMiB,
                              outcome->verdicts.size(), outcome->storm)
                  .c_str());
  EXPECT_LE(outcome->longest_gap, kSilent);
  EXPECT_LT(outcome->median_available_bytes, outcome->critical_bytes) << "the storm left it too much";
  EXPECT_TRUE(outcome->watched);
  EXPECT_TRUE(outcome->same_agent);
  const std::string agent(absl::StripSuffix(outcome->agent_pids, "\n"));
  for (const auto& verdict : outcome->verdicts) {
    EXPECT_NE(StrCat(verdict.pid()), agent) << verdict.DebugString();
    EXPECT_NE(verdict.comm(), "ballast-agent") << verdict.DebugString();
  }
}

}  // namespace
}  // namespace ballast::lab
