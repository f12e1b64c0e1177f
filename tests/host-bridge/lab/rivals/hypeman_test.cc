#include "host-bridge/lab/rivals/hypeman.h"

#include <gtest/gtest.h>

#include "tests/host-bridge/lab/rivals/sights.h"

namespace ballast::sim {
namespace {

// 15 % of 64 GiB, as it reckons.
constexpr int64_t kLow = 64 * kGiB * 15 / 100;

TEST(Hypeman, SplitsOverHeadroomAboveHalf) {
  Sights world({4 * kGiB, 8 * kGiB});  // headroom 2 and 4 GiB
  const auto hypeman = MakeHypeman(world.plan());
  world.host().available_bytes = kLow - 384 * kMiB;
  world.host().some_avg10_permyriad = 1;  // the slightest stall is pressure
  EXPECT_EQ(world.Obey(*hypeman), (std::vector<int64_t>{4 * kGiB - 128 * kMiB, 8 * kGiB - 256 * kMiB}));
}

TEST(Hypeman, MovesAtMostOneStepAndRestsFiveSeconds) {
  Sights world({8 * kGiB});
  const auto hypeman = MakeHypeman(world.plan());
  world.host().available_bytes = 3 * kGiB;
  EXPECT_EQ(world.Obey(*hypeman).front(), 8 * kGiB - 256 * kMiB);
  EXPECT_FALSE(hypeman->at_rest());
  for (int i = 0; i < 2; ++i) {
    world.Pass(Seconds(2));
    EXPECT_TRUE(world.Look(*hypeman).empty());
    EXPECT_FALSE(hypeman->at_rest());
  }
  world.Pass(Seconds(2));
  EXPECT_EQ(world.Obey(*hypeman).front(), 8 * kGiB - 512 * kMiB);
}

TEST(Hypeman, PressureBeginsBelowTenPercentAndEndsAtFifteen) {
  Sights world({8 * kGiB});
  const auto hypeman = MakeHypeman(world.plan());
  world.host().available_bytes = 64 * kGiB * 11 / 100;
  EXPECT_TRUE(world.Look(*hypeman).empty());
  EXPECT_TRUE(hypeman->at_rest());
  world.host().available_bytes = 64 * kGiB * 9 / 100;
  EXPECT_EQ(world.Obey(*hypeman).front(), 8 * kGiB - 256 * kMiB);
  world.Pass(Seconds(6));
  world.host().available_bytes = 64 * kGiB * 11 / 100;  // still pressure: 4 % of 64 GiB are missing
  EXPECT_EQ(world.Obey(*hypeman).front(), 8 * kGiB - 512 * kMiB);
  world.Pass(Seconds(6));
  world.host().available_bytes = kLow + 1;  // healthy: everything is given back, step by step
  EXPECT_EQ(world.Obey(*hypeman).front(), 8 * kGiB - 256 * kMiB);
}

TEST(Hypeman, OnlyStallsFreezeWhatIsHeld) {
  Sights world({8 * kGiB});
  const auto hypeman = MakeHypeman(world.plan());
  world.host().available_bytes = 3 * kGiB;
  world.Obey(*hypeman);
  world.Pass(Seconds(6));
  world.host().available_bytes = 32 * kGiB;
  world.host().some_avg10_permyriad = 1;
  EXPECT_TRUE(world.Look(*hypeman).empty());
  EXPECT_TRUE(hypeman->at_rest());
}

TEST(Hypeman, SkipsSmallChanges) {
  Sights world({8 * kGiB});
  const auto hypeman = MakeHypeman(world.plan());
  world.host().some_avg10_permyriad = 1;
  world.host().available_bytes = kLow - 64 * kMiB + 1;
  EXPECT_TRUE(world.Look(*hypeman).empty());
  world.host().available_bytes = kLow - 64 * kMiB;
  EXPECT_EQ(world.Obey(*hypeman).front(), 8 * kGiB - 64 * kMiB);
}

TEST(Hypeman, KeepsHalfOrWhatTheOperatorSays) {
  Sights world({2 * kGiB, 2 * kGiB});
  world.guest_plan(1).limits.floor_bytes = 256 * kMiB;
  const auto hypeman = MakeHypeman(world.plan());
  world.host().available_bytes = 0;
  for (int i = 0; i < 20; ++i) {
    world.Obey(*hypeman);
    world.Pass(Seconds(6));
  }
  EXPECT_EQ(world.sizes(), (std::vector<int64_t>{kGiB, 256 * kMiB}));
}

// The published defect: what is missing after the reclaim becomes the whole reclaim.
TEST(Hypeman, SettlesAtHalfOfWhatIsMissing) {
  Sights world({8 * kGiB});
  const auto hypeman = MakeHypeman(world.plan());
  constexpr int64_t kMissing = 4 * kGiB;  // 9.4 % are available
  for (int i = 0; i < 50; ++i) {
    world.host().available_bytes = kLow - kMissing + world.guest(0).balloon_bytes;
    world.Obey(*hypeman);
    world.Pass(Seconds(2));
  }
  EXPECT_EQ(world.guest(0).balloon_bytes, kMissing / 2);
  EXPECT_TRUE(hypeman->at_rest());
}

}  // namespace
}  // namespace ballast::sim
