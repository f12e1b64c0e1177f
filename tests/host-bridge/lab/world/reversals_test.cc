#include "host-bridge/lab/world/reversals.h"

#include <gtest/gtest.h>

namespace ballast::sim {
namespace {

MonotonicTime At(int64_t seconds) { return {Seconds(3'600 + seconds).count}; }

TEST(Reversals, CountsALargeMoveBackSoonAfter) {
  Reversals guest;
  EXPECT_FALSE(guest.Command(200 * kMiB, At(0)));
  EXPECT_TRUE(guest.Command(100 * kMiB, At(599)));
}

TEST(Reversals, ForgivesAfterTenMinutesAndSmallMoves) {
  Reversals guest;
  EXPECT_FALSE(guest.Command(200 * kMiB, At(0)));
  EXPECT_FALSE(guest.Command(100 * kMiB, At(600)));
  EXPECT_FALSE(guest.Command(160 * kMiB, At(610)));  // 60 MiB
  EXPECT_FALSE(guest.Command(100 * kMiB, At(620)));
}

TEST(Reversals, SmallStepsOfOneMoveAddUpAndCountOnce) {
  Reversals guest;
  for (int i = 1; i <= 10; ++i) EXPECT_FALSE(guest.Command(i * 20 * kMiB, At(i)));
  int counted = 0;
  for (int i = 9; i >= 0; --i) counted += guest.Command(i * 20 * kMiB, At(30 - i)) ? 1 : 0;
  EXPECT_EQ(counted, 1);
}

TEST(Reversals, EverySwingCounts) {
  Reversals guest;
  int counted = 0;
  for (int i = 0; i < 10; ++i) counted += guest.Command(i % 2 == 0 ? 300 * kMiB : 0, At(i * 60)) ? 1 : 0;
  EXPECT_EQ(counted, 9);
}

}  // namespace
}  // namespace ballast::sim
