#include "common/journal/drop_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace ballast::journal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::chrono::milliseconds kAtOnce(0);

TEST(DropQueue, HandsOutEverythingInOrder) {
  DropQueue<int> queue(10);
  EXPECT_TRUE(queue.Push(1, 3));
  EXPECT_TRUE(queue.Push(2, 3));
  const auto batch = queue.Take(kAtOnce);
  EXPECT_THAT(batch.items, ElementsAre(1, 2));
  EXPECT_EQ(batch.dropped, 0u);
  EXPECT_THAT(queue.Take(kAtOnce).items, IsEmpty());
}

TEST(DropQueue, CountsWhatDoesNotFitAndKeepsTheOrderOfTheLoss) {
  DropQueue<int> queue(10);
  EXPECT_TRUE(queue.Push(1, 8));
  EXPECT_FALSE(queue.Push(2, 8));
  EXPECT_FALSE(queue.Push(3, 1)) << "would fit, but came after the loss";
  const auto batch = queue.Take(kAtOnce);
  EXPECT_THAT(batch.items, ElementsAre(1));
  EXPECT_EQ(batch.dropped, 2u);
  EXPECT_TRUE(queue.Push(4, 8));
  EXPECT_EQ(queue.Take(kAtOnce).dropped, 0u);
}

TEST(DropQueue, TakesOneItemHoweverLarge) {
  DropQueue<int> queue(10);
  EXPECT_TRUE(queue.Push(1, 1000));
  EXPECT_THAT(queue.Take(kAtOnce).items, ElementsAre(1));
}

TEST(DropQueue, WakesTheTakerWhenItIsClosed) {
  DropQueue<int> queue(10);
  std::thread closer([&] { queue.Close(); });
  EXPECT_TRUE(queue.Take(std::chrono::hours(1)).closed);
  closer.join();
}

TEST(DropQueue, WakesTheTakerWhenHalfIsFull) {
  DropQueue<int> queue(10);
  std::thread pusher([&] { queue.Push(1, 5); });
  EXPECT_THAT(queue.Take(std::chrono::hours(1)).items, ElementsAre(1));
  pusher.join();
}

}  // namespace
}  // namespace ballast::journal
