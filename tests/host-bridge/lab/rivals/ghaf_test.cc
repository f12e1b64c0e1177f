#include "host-bridge/lab/rivals/ghaf.h"

#include <gtest/gtest.h>

#include "tests/host-bridge/lab/rivals/sights.h"

namespace ballast::sim {
namespace {

TEST(Ghaf, BringsUseIntoItsWindow) {
  struct Case {
    int64_t used_mib;
    int64_t size_mib;
  };
  // Of 4000 MiB: 35 % goes to used / 0.70; 70 and 80 % stay; 90 % would go to used / 0.78, above the maximum.
  for (const auto& [used_mib, size_mib] :
       {Case{1400, 2000}, Case{2800, 4000}, Case{3200, 4000}, Case{3600, 4000}}) {
    Sights world({4000 * kMiB});
    const auto ghaf = MakeGhaf(world.plan());
    world.Show(0, used_mib * kMiB);
    EXPECT_EQ(world.Obey(*ghaf).front(), size_mib * kMiB) << used_mib;
  }
}

TEST(Ghaf, ActsEveryThreeSecondsOnNewStatistics) {
  Sights world({4000 * kMiB});
  const auto ghaf = MakeGhaf(world.plan());
  world.Show(0, 1400 * kMiB);
  world.Obey(*ghaf);
  world.Show(0, 1950 * kMiB);  // 97.5 % of 2000
  world.Pass(Seconds(2));
  EXPECT_TRUE(world.Look(*ghaf).empty());
  EXPECT_FALSE(ghaf->at_rest());
  world.Pass(Seconds(1));
  EXPECT_EQ(world.Obey(*ghaf).front(), 2500 * kMiB);  // 1950 / 0.78
  world.Show(0, 2400 * kMiB);
  const MonotonicTime old = world.guest(0).stats_at;
  world.Pass(Seconds(5));
  world.guest(0).stats_at = old;
  EXPECT_TRUE(world.Look(*ghaf).empty());
}

TEST(Ghaf, SentinelReadsAsAllAvailable) {
  Sights world({4 * kGiB});
  const auto ghaf = MakeGhaf(world.plan());
  world.guest(0).available_bytes = world.guest(0).total_bytes = -1;
  EXPECT_EQ(world.Obey(*ghaf).front(), kGiB);  // the minimum
}

TEST(Ghaf, NeedsNoStepsAndNoHost) {
  Sights world({64 * kGiB});
  world.guest_plan(0).limits.floor_bytes = 300 * kMiB;
  world.host() = {};
  const auto ghaf = MakeGhaf(world.plan());
  world.Show(0, 0);
  EXPECT_EQ(world.Obey(*ghaf).front(), 300 * kMiB);
}

}  // namespace
}  // namespace ballast::sim
