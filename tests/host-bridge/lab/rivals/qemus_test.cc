#include "host-bridge/lab/rivals/qemus.h"

#include <gtest/gtest.h>

#include "tests/host-bridge/lab/rivals/sights.h"

namespace ballast::sim {
namespace {

constexpr int64_t kPage = 4 * kKiB;

void SetFree(Sights& world, int64_t percent) {
  world.host() = {.total_bytes = 100 * kGiB, .available_bytes = percent * kGiB};
}

// 15 % free: error 0.05, integral 0.25 after 5 s: (0.025 + 0.0125) of 8000 MiB; then 0.05: (0.025 + 0.025).
TEST(Qemus, StepsByErrorAndIntegral) {
  Sights world({8000 * kMiB});
  const auto qemus = MakeQemus(world.plan());
  SetFree(world, 15);
  EXPECT_NEAR(static_cast<double>(world.Obey(*qemus).front()), 7700.0 * kMiB, kPage);
  EXPECT_NEAR(static_cast<double>(world.Obey(*qemus).front()), 7300.0 * kMiB, 2 * kPage);
  EXPECT_FALSE(qemus->at_rest());
}

// 19 % free: (0.005 + 0.0025) of 8000 MiB = 60 MiB, then 80 MiB more of the integral: still one change of 80.
TEST(Qemus, WaitsForHysteresis) {
  Sights world({8000 * kMiB});
  const auto qemus = MakeQemus(world.plan());
  SetFree(world, 19);
  EXPECT_TRUE(world.Look(*qemus).empty());
  EXPECT_FALSE(qemus->at_rest());  // the integral grows
  EXPECT_TRUE(world.Look(*qemus).empty());
  // 40 + 20 n MiB: the fifth look asks for 140.
  EXPECT_TRUE(world.Look(*qemus).empty());
  EXPECT_TRUE(world.Look(*qemus).empty());
  EXPECT_NEAR(static_cast<double>(world.Obey(*qemus).front()), 7860.0 * kMiB, kPage);
}

TEST(Qemus, KeepsWhatTheGuestUsesBelowNinetyPercent) {
  Sights world({8000 * kMiB});
  const auto qemus = MakeQemus(world.plan());
  world.Show(0, 7950 * kMiB);
  SetFree(world, 10);
  EXPECT_EQ(world.Obey(*qemus).front(), 7950 * kMiB);  // onto the limit: hysteresis does not matter
  SetFree(world, 5);                                   // above the hard threshold
  EXPECT_LT(world.Obey(*qemus).front(), 7950 * kMiB);
}

TEST(Qemus, CountsABalloonThatStaysInMemTotal) {
  Sights world({8000 * kMiB});
  const auto qemus = MakeQemus(world.plan());
  SetFree(world, 20);
  world.Look(*qemus);  // MemTotal at the start: 8000 MiB
  SetFree(world, 10);
  for (int i = 0; i < 20; ++i) {
    world.Obey(*qemus);
    world.Pass(Seconds(5));
    world.guest(0).total_bytes = 8000 * kMiB;
    world.guest(0).available_bytes =
        world.sizes().front() - 3000 * kMiB;  // 3000 MiB are used, and the balloon
  }
  EXPECT_EQ(world.sizes().front(), 3000 * kMiB);
}

// On its limit the integral is wound back to -1: with 25 % free, (-0.025 - 0.05) of 8000 MiB are given at
// once.
TEST(Qemus, DoesNotWindUpOnALimit) {
  Sights world({8000 * kMiB});
  const auto qemus = MakeQemus(world.plan());
  world.Show(0, 7000 * kMiB);
  SetFree(world, 10);
  for (int i = 0; i < 30; ++i) {
    world.Obey(*qemus);
    world.Pass(Seconds(5));
  }
  ASSERT_EQ(world.sizes().front(), 7000 * kMiB);
  SetFree(world, 25);
  EXPECT_EQ(world.Obey(*qemus).front(), 7600 * kMiB);
}

// Half way from 10 to 50 %: half way from 8000 MiB to 33 % of it.
TEST(Qemus, HostStallsLowerTheMost) {
  Sights world({8000 * kMiB});
  const auto qemus = MakeQemus(world.plan());
  world.host().some_avg10_permyriad = 999;
  EXPECT_TRUE(world.Look(*qemus).empty());
  world.host().some_avg10_permyriad = 3000;
  EXPECT_EQ(world.Obey(*qemus).front(), 5320 * kMiB);
  world.host().some_avg10_permyriad = 9000;
  EXPECT_EQ(world.Obey(*qemus).front(), 2640 * kMiB);
}

TEST(Qemus, WaitsForTheFirstStatistics) {
  Sights world({8000 * kMiB});
  const auto qemus = MakeQemus(world.plan());
  world.guest(0).total_bytes = -1;
  SetFree(world, 0);
  EXPECT_TRUE(world.Look(*qemus).empty());
}

}  // namespace
}  // namespace ballast::sim
