#include "host-bridge/lab/world/due_times.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <vector>

namespace ballast::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<size_t> DueAt(const DueTimes& times, int64_t ns) {
  std::vector<size_t> due;
  times.ForEachDue(ns, [&due](size_t guest) { due.push_back(guest); });
  return due;
}

TEST(DueTimesTest, AllAreDueAtFirst) {
  const DueTimes times(3, 7);
  EXPECT_EQ(times.Earliest(), 7);
  EXPECT_THAT(DueAt(times, 6), IsEmpty());
  EXPECT_THAT(DueAt(times, 7), ElementsAre(0, 1, 2));
}

TEST(DueTimesTest, NobodyIsNeverDue) {
  const DueTimes times(0, 7);
  EXPECT_EQ(times.Earliest(), DueTimes::kNever);
  EXPECT_THAT(DueAt(times, 1'000), IsEmpty());
}

TEST(DueTimesTest, GuestsComeInTheirOrderWhateverTheirTimes) {
  DueTimes times(20, 100);
  times.Set(19, 1);
  times.Set(0, 3);
  times.Set(8, 2);
  EXPECT_EQ(times.Earliest(), 1);
  EXPECT_THAT(DueAt(times, 3), ElementsAre(0, 8, 19));
}

TEST(DueTimesTest, OneThatIsPutOffIsForgotten) {
  DueTimes times(9, 5);
  for (size_t guest = 0; guest < 9; ++guest) times.Set(guest, 10 + static_cast<int64_t>(guest));
  EXPECT_EQ(times.Earliest(), 10);
  times.Set(0, 50);
  EXPECT_EQ(times.Earliest(), 11);
  EXPECT_THAT(DueAt(times, 12), ElementsAre(1, 2));
}

// Advancing a guest sets its next time, while the others of its block are still to be looked at.
TEST(DueTimesTest, EachIsCalledOnceWhileTimesAreSetAnew) {
  DueTimes times(17, 5);
  std::vector<size_t> due;
  times.ForEachDue(5, [&](size_t guest) {
    due.push_back(guest);
    times.Set(guest, 6);
  });
  EXPECT_EQ(due.size(), 17U);
  EXPECT_TRUE(std::is_sorted(due.begin(), due.end()));
  EXPECT_THAT(DueAt(times, 5), IsEmpty());
  EXPECT_EQ(times.Earliest(), 6);
}

}  // namespace
}  // namespace ballast::sim
