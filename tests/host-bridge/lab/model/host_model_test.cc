#include "host-bridge/lab/model/host_model.h"

#include <gtest/gtest.h>

namespace ballast::sim {
namespace {

TEST(HostModel, HasNoPressureWithMemoryToSpare) {
  HostModel host({.total_bytes = 64 * kGiB});
  host.SetDemand(40 * kGiB);
  host.Advance(Seconds(10));
  EXPECT_EQ(host.available(), 24 * kGiB);
  EXPECT_EQ(host.some_permyriad(), 0);
  EXPECT_FALSE(host.is_short());
}

TEST(HostModel, TasksWaitBeforeTheLastByteIsGone) {
  HostModel host({.total_bytes = 64 * kGiB});
  host.SetDemand(64 * kGiB - 256 * kMiB);
  EXPECT_GT(host.some_permyriad(), 1'000);
  EXPECT_EQ(host.full_permyriad(), 0);
  EXPECT_FALSE(host.is_short());
}

TEST(HostModel, SwapsAndThenHasToKill) {
  HostModel host({.total_bytes = 64 * kGiB, .swap_bytes = 8 * kGiB});
  host.SetDemand(70 * kGiB);
  EXPECT_TRUE(host.is_short());
  EXPECT_FALSE(host.is_exhausted());
  EXPECT_EQ(host.swap_used(), 6 * kGiB);
  EXPECT_EQ(host.available(), 0);
  EXPECT_EQ(host.some_permyriad(), 10'000);
  EXPECT_GT(host.full_permyriad(), 1'000);
  host.SetDemand(73 * kGiB);
  EXPECT_TRUE(host.is_exhausted());
}

// avg10 reaches 63 % of a new level after ten seconds, and the level itself in the end.
TEST(HostModel, AveragesAsTheKernelDoes) {
  HostModel host({.total_bytes = 64 * kGiB, .swap_bytes = 64 * kGiB});
  host.SetDemand(80 * kGiB);
  for (int i = 0; i < 5; ++i) host.Advance(Seconds(2));
  EXPECT_NEAR(host.some_avg10_permyriad(), 6'321, 60);
  for (int i = 0; i < 300; ++i) host.Advance(Seconds(2));
  EXPECT_EQ(host.some_avg10_permyriad(), 10'000);
  host.SetDemand(kGiB);
  host.Advance(Seconds(600));
  EXPECT_EQ(host.some_avg10_permyriad(), 0);
}

TEST(HostModel, AveragesTheSameInLargeSteps) {
  HostModel fine({.total_bytes = 64 * kGiB, .swap_bytes = 64 * kGiB});
  HostModel coarse = fine;
  fine.SetDemand(66 * kGiB);
  coarse.SetDemand(66 * kGiB);
  for (int i = 0; i < 1'600; ++i) fine.Advance(Milliseconds(10));
  coarse.Advance(Seconds(16));
  EXPECT_EQ(fine.some_avg10_permyriad(), coarse.some_avg10_permyriad());
}

}  // namespace
}  // namespace ballast::sim
