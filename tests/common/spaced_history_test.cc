#include "common/base/spaced_history.h"

#include <gtest/gtest.h>

namespace ballast {
namespace {

constexpr MonotonicTime kStart{1'000'000'000'000};

TEST(SpacedHistory, GivesTheNewestValueThatIsOldEnough) {
  SpacedHistory<int, 4> history(Seconds(1));
  EXPECT_FALSE(history.Before(kStart, Nanos{0}, Seconds(60)).has_value());
  for (int second = 0; second < 3; ++second) history.Add(kStart + Seconds(second), second);
  const auto point = history.Before(kStart + Milliseconds(2'500), Seconds(1), Seconds(60));
  ASSERT_TRUE(point.has_value());
  EXPECT_EQ(point->value, 1);
  EXPECT_EQ(point->at, kStart + Seconds(1));
  EXPECT_FALSE(history.Before(kStart + Seconds(2), Seconds(3), Seconds(60)).has_value()) << "none is so old";
  EXPECT_FALSE(history.Before(kStart + Seconds(90), Seconds(1), Seconds(60)).has_value())
      << "all are too old";
}

TEST(SpacedHistory, GivesTheOldestValueThatCounts) {
  SpacedHistory<int, 4> history(Seconds(1));
  EXPECT_FALSE(history.Oldest(kStart, Seconds(60)).has_value());
  for (int second = 0; second < 6; ++second) history.Add(kStart + Seconds(second), second);
  EXPECT_EQ(history.Oldest(kStart + Seconds(6), Seconds(60))->value, 2) << "four are kept";
  EXPECT_EQ(history.Oldest(kStart + Seconds(6), Seconds(2))->value, 4);
  EXPECT_FALSE(history.Oldest(kStart + Seconds(90), Seconds(60)).has_value());
}

TEST(SpacedHistory, KeepsItsDistanceAndForgetsTheOldest) {
  SpacedHistory<int, 4> history(Seconds(1));
  for (int tick = 0; tick <= 60; ++tick) history.Add(kStart + Milliseconds(100 * tick), tick);
  EXPECT_EQ(history.Before(kStart + Seconds(6), Seconds(1), Seconds(60))->value, 50);
  EXPECT_EQ(history.Before(kStart + Seconds(6), Seconds(3), Seconds(60))->value, 30);
  EXPECT_FALSE(history.Before(kStart + Seconds(6), Seconds(4), Seconds(60)).has_value());
}

}  // namespace
}  // namespace ballast
