#include "host-bridge/lab/rivals/neon.h"

#include <gtest/gtest.h>

#include "tests/host-bridge/lab/rivals/sights.h"

namespace ballast::sim {
namespace {

// 1 GiB used: 1 / 0.75 is two units of 1 GiB.
TEST(Neon, ShrinksAUnitEveryFiveSecondsToItsGoal) {
  Sights world({8 * kGiB});
  const auto neon = MakeNeon(world.plan());
  world.Show(0, kGiB);
  for (const int64_t size : {7, 6, 5, 4, 3, 2, 2}) {
    EXPECT_EQ(world.Obey(*neon).front(), size * kGiB);
    world.Pass(Seconds(4));
    EXPECT_TRUE(world.Look(*neon).empty());
    world.Pass(Seconds(1));
  }
  EXPECT_TRUE(neon->at_rest());
}

TEST(Neon, SmallGuestsHaveEighths) {
  Sights world({kGiB});
  const auto neon = MakeNeon(world.plan());
  world.Show(0, 100 * kMiB);
  EXPECT_EQ(world.Obey(*neon).front(), 896 * kMiB);
}

// 0.85 x 1 GiB is 870.4 MiB: with 100 MiB of reserve 770.4 MiB may be used.
TEST(Neon, TheMonitorRefusesAShrinkThatWouldBeTight) {
  for (const auto& [used_mib, size] : {std::pair{771, 2}, std::pair{760, 1}}) {
    Sights world({8 * kGiB});
    world.guest_plan(0).limits.floor_bytes = kGiB;
    const auto neon = MakeNeon(world.plan());
    world.Show(0, used_mib * kMiB);
    for (int i = 0; i < 8; ++i) {
      world.Obey(*neon);
      world.Pass(Seconds(5));
    }
    // By the metrics alone 771 and 760 MiB / 0.75 want 2 and 1 units.
    EXPECT_EQ(world.sizes().front(), size * kGiB) << used_mib;
  }
}

class NeonAtTwo : public testing::Test {
 protected:
  void SetUp() override {
    world_.Show(0, kGiB);
    for (int i = 0; i < 8; ++i) {
      world_.Obey(*neon_);
      world_.Pass(Seconds(5));
    }
    ASSERT_EQ(world_.sizes().front(), 2 * kGiB);
    world_.Obey(*neon_);
  }
  Sights world_{{8 * kGiB}};
  std::unique_ptr<Controller> neon_ = MakeNeon(world_.plan());
};

TEST_F(NeonAtTwo, AsksAtEightyFivePercentOfAMeanAndOnceASecond) {
  for (int i = 0; i < 4; ++i) {
    world_.Pass(Milliseconds(100));
    world_.Look(*neon_);  // samples of 50 %
  }
  world_.Show(0, 1950 * kMiB);  // 95 %; the mean of 500 ms passes 85 % with the fourth of five
  for (int i = 0; i < 3; ++i) {
    world_.Pass(Milliseconds(100));
    EXPECT_TRUE(world_.Look(*neon_).empty()) << i;
  }
  world_.Pass(Milliseconds(100));
  EXPECT_EQ(world_.Obey(*neon_).front(), 3 * kGiB);
  world_.Show(0, 3000 * kMiB);
  for (int i = 0; i < 9; ++i) {
    world_.Pass(Milliseconds(100));
    EXPECT_TRUE(world_.Look(*neon_).empty()) << i;
  }
  world_.Pass(Milliseconds(100));
  EXPECT_EQ(world_.Obey(*neon_).front(), 4 * kGiB);
}

TEST_F(NeonAtTwo, ARequestHoldsForTenSeconds) {
  world_.Pass(Milliseconds(600));
  world_.Show(0, 1950 * kMiB);
  EXPECT_EQ(world_.Obey(*neon_).front(), 3 * kGiB);
  world_.Show(0, kGiB);
  for (int i = 0; i < 2; ++i) {
    world_.Pass(Milliseconds(4700));
    EXPECT_TRUE(world_.Look(*neon_).empty()) << i;
  }
  world_.Pass(Seconds(5));
  EXPECT_EQ(world_.Obey(*neon_).front(), 2 * kGiB);
}

TEST_F(NeonAtTwo, TheNewerOfReportAndStatisticsCounts) {
  world_.Pass(Milliseconds(600));
  world_.guest(0).report = {{.total_bytes = 2 * kGiB, .available_bytes = 100 * kMiB},
                            world_.now() - Seconds(1)};
  EXPECT_TRUE(world_.Look(*neon_).empty());
  world_.Pass(Milliseconds(600));
  world_.guest(0).report->at = world_.now() + Nanos{1};
  EXPECT_EQ(world_.Obey(*neon_).front(), 3 * kGiB);
}

TEST_F(NeonAtTwo, NeverShrinksOnOldMetrics) {
  world_.guest_plan(0).limits.floor_bytes = kGiB;
  world_.Show(0, 100 * kMiB);
  const MonotonicTime old = world_.now();
  world_.Pass(Seconds(6));
  world_.guest(0).stats_at = old;
  EXPECT_TRUE(world_.Look(*neon_).empty());
  world_.Pass(Seconds(5));
  EXPECT_EQ(world_.Obey(*neon_).front(), kGiB);
}

TEST(Neon, TheSchedulerPermitsWhatTheNodeHas) {
  Sights world({8 * kGiB, 8 * kGiB});
  world.host().total_bytes = 14 * kGiB;
  const auto neon = MakeNeon(world.plan());
  for (int i = 0; i < 3; ++i) {
    world.Show(0, kGiB);
    world.Show(1, 3 * kGiB);
    world.Obey(*neon);
    world.Pass(Seconds(5));
  }
  ASSERT_EQ(world.sizes(), (std::vector<int64_t>{5 * kGiB, 5 * kGiB}));
  // Both want more than there is: 7 and 8 units of 14.
  for (int i = 0; i < 8; ++i) {
    world.Show(0, 4900 * kMiB);
    world.Show(1, world.sizes()[1] - 10 * kMiB);
    world.Obey(*neon);
    world.Pass(Seconds(1));
  }
  EXPECT_EQ(world.sizes()[0] + world.sizes()[1], 14 * kGiB);
}

}  // namespace
}  // namespace ballast::sim
