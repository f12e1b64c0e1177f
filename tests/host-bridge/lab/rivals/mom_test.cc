#include "host-bridge/lab/rivals/mom.h"

#include <gtest/gtest.h>

#include "tests/host-bridge/lab/rivals/sights.h"

namespace ballast::sim {
namespace {

// A guest of 8000 MiB and a host with this share of its memory free, both for as long as the means reach.
struct Settled {
  explicit Settled(int64_t host_free_percent, int64_t size_mib, int64_t used_mib) : world({8000 * kMiB}) {
    world.guest(0).balloon_bytes = (8000 - size_mib) * kMiB;
    world.Show(0, used_mib * kMiB);
    world.host() = {.total_bytes = 100 * kGiB, .available_bytes = host_free_percent * kGiB};
    mom = MakeMom(world.plan());
  }
  int64_t NextSizeMib() { return world.Obey(*mom).front() / kMiB; }
  Sights world;
  std::unique_ptr<Controller> mom;
};

TEST(Mom, ShrinksByFivePercent) { EXPECT_EQ(Settled(16, 8000, 1000).NextSizeMib(), 7600); }

// 16 % free on the host leave a guest 20 * 16 / 20 = 16 % of its size: 6500 + 1280.
TEST(Mom, KeepsUseAndAShareThatFollowsTheHost) { EXPECT_EQ(Settled(16, 8000, 6500).NextSizeMib(), 7780); }

TEST(Mom, KeepsTheMinimum) { EXPECT_EQ(Settled(16, 2040, 0).NextSizeMib(), 2000); }

// 4 % free: 4 - 5 = -1 % of 4000 MiB below use.
TEST(Mom, CriticalHostForcesSwap) { EXPECT_EQ(Settled(4, 4000, 4000).NextSizeMib(), 3960); }

TEST(Mom, GrowsByFivePercentOrToUseAndAFifth) {
  EXPECT_EQ(Settled(30, 4000, 1000).NextSizeMib(), 4200);
  EXPECT_EQ(Settled(30, 4000, 3900).NextSizeMib(), 4700);
  EXPECT_EQ(Settled(30, 7900, 1000).NextSizeMib(), 8000);
}

TEST(Mom, SkipsChangesBelowAQuarterPercent) {
  EXPECT_EQ(Settled(30, 7981, 1000).NextSizeMib(), 7981);
  EXPECT_EQ(Settled(30, 7979, 1000).NextSizeMib(), 8000);
}

TEST(Mom, DecidesEveryTenSecondsOnMeansOfTenSamples) {
  Settled settled(30, 4000, 1000);
  EXPECT_EQ(settled.NextSizeMib(), 4200);
  settled.world.Pass(Seconds(5));
  EXPECT_TRUE(settled.world.Look(*settled.mom).empty());
  settled.world.Pass(Seconds(5));
  settled.world.host().available_bytes = 0;
  // Free on the host: the mean of 30, 30 and 0 %, not yet below 20.
  EXPECT_EQ(settled.NextSizeMib(), 4410);
  EXPECT_FALSE(settled.mom->at_rest());
}

TEST(Mom, DropsAGuestWithoutStatistics) {
  Settled settled(30, 4000, 1000);
  settled.world.guest(0).free_bytes = -1;
  EXPECT_EQ(settled.NextSizeMib(), 4000);
}

TEST(Mom, RestsWhenMeansAreSteadyAndNothingIsLeftToDo) {
  Settled settled(30, 8000, 1000);
  for (int i = 0; i < 8; ++i) {
    EXPECT_TRUE(settled.world.Look(*settled.mom).empty());
    EXPECT_FALSE(settled.mom->at_rest());
    settled.world.Pass(Seconds(5));
  }
  for (int i = 0; i < 4; ++i) {
    settled.world.Look(*settled.mom);
    settled.world.Pass(Seconds(5));
  }
  EXPECT_TRUE(settled.mom->at_rest());
}

}  // namespace
}  // namespace ballast::sim
