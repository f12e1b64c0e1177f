#include "guest-agent/sensors/zram_plan.h"

#include <gtest/gtest.h>

#include "common/base/units.h"
#include "tests/common/kernel/fixture.h"

namespace ballast::agent {
namespace {

constexpr int64_t kPage = 4 * kKiB;
constexpr int64_t kDisk = 400 * kMiB;
constexpr MonotonicTime kStart{1'000'000'000'000};

kernel::ZramMemory Recorded(const char* name) {
  const auto memory = kernel::ParseZramMemory(kernel::Fixture(name));
  EXPECT_TRUE(memory.ok()) << memory.status();
  return memory.ok() ? *memory : kernel::ZramMemory{};
}

TEST(ZramPlan, JudgesRecordedDevices) {
  const ZramOutlook mixed = ZramPlan().Next(kStart, kDisk, Recorded("mm_stat-6.1"), kPage);
  EXPECT_EQ(mixed.ratio_permille, 2694);
  EXPECT_EQ(mixed.fill_permyriad, 1422);
  EXPECT_EQ(mixed.incompressible_permyriad, 10);
  const ZramOutlook random = ZramPlan().Next(kStart, kDisk, Recorded("mm_stat-incompressible-6.1"), kPage);
  EXPECT_EQ(random.ratio_permille, 1030);
  EXPECT_EQ(random.incompressible_permyriad, 8789);
  const ZramOutlook zeros = ZramPlan().Next(kStart, kDisk, Recorded("mm_stat-same-filled-6.1"), kPage);
  EXPECT_EQ(zeros.ratio_permille, std::nullopt) << "less than 1 MiB is used";
  EXPECT_EQ(zeros.fill_permyriad, 5958);
  EXPECT_EQ(ZramPlan().Next(kStart, kDisk, Recorded("mm_stat-6.18"), kPage), ZramOutlook{});
}

TEST(ZramPlan, LeavesSameFilledPagesOutOfTheRatio) {
  const kernel::ZramMemory memory{
      .original_bytes = 30 * kMiB, .memory_used_bytes = 10 * kMiB, .same_pages = 10 * kMiB / kPage};
  EXPECT_EQ(ZramPlan().Next(kStart, kDisk, memory, kPage).ratio_permille, 2000);
}

TEST(ZramPlan, FillsByMemoryWhereThatIsLimited) {
  const kernel::ZramMemory memory{
      .original_bytes = 100 * kMiB, .memory_used_bytes = 15 * kMiB, .memory_limit_bytes = 20 * kMiB};
  EXPECT_EQ(ZramPlan().Next(kStart, kDisk, memory, kPage).fill_permyriad, 7500);
}

TEST(ZramPlan, TellsWhenItWillBeFull) {
  ZramPlan plan;
  kernel::ZramMemory memory{.original_bytes = 100 * kMiB, .memory_used_bytes = 30 * kMiB};
  EXPECT_EQ(plan.Next(kStart, kDisk, memory, kPage).time_to_full, std::nullopt) << "nothing to compare with";
  memory.original_bytes = 200 * kMiB;
  EXPECT_EQ(plan.Next(kStart + Seconds(1), kDisk, memory, kPage).time_to_full, std::nullopt)
      << "one second is no trend";
  memory.original_bytes = 300 * kMiB;
  EXPECT_EQ(plan.Next(kStart + Seconds(2), kDisk, memory, kPage).time_to_full, Seconds(1));
  memory.original_bytes = kDisk;
  EXPECT_EQ(plan.Next(kStart + Seconds(3), kDisk, memory, kPage).time_to_full, Nanos{0}) << "it is full";
}

TEST(ZramPlan, TheLimitThatIsReachedFirstCounts) {
  ZramPlan plan;
  (void)plan.Next(kStart, kDisk,
                  {.original_bytes = 0, .memory_used_bytes = 0, .memory_limit_bytes = 50 * kMiB}, kPage);
  const kernel::ZramMemory memory{
      .original_bytes = 100 * kMiB, .memory_used_bytes = 40 * kMiB, .memory_limit_bytes = 50 * kMiB};
  EXPECT_EQ(plan.Next(kStart + Seconds(2), kDisk, memory, kPage).time_to_full, Milliseconds(500));
}

TEST(ZramPlan, HasNoTimeToFullOnceItNoLongerGrows) {
  ZramPlan plan;
  kernel::ZramMemory memory;
  for (int tick = 0; tick <= 20; ++tick) {
    memory.original_bytes += kMiB;
    const auto outlook = plan.Next(kStart + Milliseconds(100 * tick), kDisk, memory, kPage);
    if (tick == 20) {
      EXPECT_TRUE(outlook.time_to_full.has_value());
    }
  }
  memory.original_bytes += 200 * kKiB;  // single pages come and go
  std::optional<Nanos> time_to_full;
  for (int tick = 21; tick <= 45; ++tick) {
    time_to_full = plan.Next(kStart + Milliseconds(100 * tick), kDisk, memory, kPage).time_to_full;
  }
  EXPECT_EQ(time_to_full, std::nullopt);
  memory.original_bytes = 0;
  EXPECT_EQ(plan.Next(kStart + Seconds(8), kDisk, memory, kPage).time_to_full, std::nullopt);
}

TEST(ZramPlan, SurvivesTheLargestNumbersAParserLetsThrough) {
  constexpr int64_t kHuge = int64_t{1} << 62;
  ZramPlan plan;
  (void)plan.Next(kStart, kHuge, {}, 64 * kKiB);
  const ZramOutlook outlook =
      plan.Next(kStart + Seconds(2), kHuge, {kHuge, kHuge, kHuge, kHuge, kHuge, kHuge}, 64 * kKiB);
  EXPECT_EQ(outlook.fill_permyriad, 10'000);
  EXPECT_EQ(outlook.ratio_permille, 0);
  EXPECT_EQ(outlook.incompressible_permyriad, 10'000);
  EXPECT_EQ(outlook.time_to_full, Nanos{0});
}

}  // namespace
}  // namespace ballast::agent
