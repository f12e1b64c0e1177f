#include "guest-agent/sensors/working_set_plan.h"

#include <gtest/gtest.h>

#include "common/base/units.h"

namespace ballast::agent {
namespace {

constexpr int64_t kPage = 4 * kKiB;
constexpr MonotonicTime kStart{1'000'000'000'000};

// 1 GiB: 300 MiB free, of it 40 MiB below the zones' high watermarks; 200 MiB on the inactive list, of it 50
// MiB mapped, 8 MiB dirty and 2 MiB on their way to the disk.
class WorkingSetTest : public ::testing::Test {
 protected:
  WorkingSetTest() {
    facts_.at = kStart;
    facts_.meminfo.total_bytes = kGiB;
    facts_.meminfo.free_bytes = 300 * kMiB;
    facts_.meminfo.available_bytes = 600 * kMiB;
    facts_.meminfo.inactive_file_bytes = 200 * kMiB;
    facts_.meminfo.mapped_bytes = 50 * kMiB;
    facts_.meminfo.dirty_bytes = 8 * kMiB;
    facts_.meminfo.writeback_bytes = 2 * kMiB;
    facts_.vmstat.refault_anon_pages = 1'000;
    facts_.vmstat.refault_file_pages = 2'000;
    facts_.vmstat.alloc_stalls = 10;
    facts_.vmstat.scan_kswapd_pages = 5'000;
    facts_.vmstat.scan_direct_pages = 100;
    facts_.vmstat.steal_kswapd_pages = 4'000;
    facts_.vmstat.steal_direct_pages = 50;
    facts_.zones.Add({.kind = kernel::ZoneKind::kDma32, .free_bytes = 10 * kMiB, .high_bytes = 30 * kMiB});
    facts_.zones.Add({.kind = kernel::ZoneKind::kNormal, .free_bytes = 90 * kMiB, .high_bytes = 10 * kMiB});
    facts_.zones.Add({.kind = kernel::ZoneKind::kMovable, .free_bytes = 200 * kMiB, .high_bytes = 20 * kMiB});
  }

  // The next look, `later` than the last.
  std::optional<WorkingSet> Look(Nanos later) {
    facts_.at = facts_.at + later;
    return plan_.Next(facts_);
  }
  // A look a second after the first.
  WorkingSet LookTwice() {
    EXPECT_FALSE(Look(Nanos{0}).has_value());
    return Look(Seconds(1)).value_or(WorkingSet{});
  }

  WorkingSetFacts facts_;
  WorkingSetPlan plan_;
};

TEST_F(WorkingSetTest, IsUnknownUntilTheCountersWereSeenOverASecond) {
  EXPECT_FALSE(Look(Nanos{0}).has_value());
  EXPECT_FALSE(Look(Milliseconds(999)).has_value());
  EXPECT_TRUE(Look(Milliseconds(1)).has_value());
}

TEST_F(WorkingSetTest, IsUnknownAgainAfterALongPause) {
  LookTwice();
  EXPECT_FALSE(Look(Seconds(40)).has_value());
  EXPECT_TRUE(Look(Seconds(2)).has_value());
}

TEST_F(WorkingSetTest, ANeedIsWhatIsNeitherFreeNorColdCache) {
  const WorkingSet set = LookTwice();
  EXPECT_EQ(set.method, WorkingSetMethod::kRefault);
  EXPECT_EQ(set.bytes, (1024 - 300 - 150) * kMiB);
  EXPECT_EQ(set.refault_bytes_per_second, 0);
}

TEST_F(WorkingSetTest, GivesWhatIsFreeAboveTheWatermarksAndColdAndClean) {
  EXPECT_EQ(LookTwice().giveable_bytes, (80 + 180 + 150 - 10) * kMiB);
  facts_.meminfo.available_bytes = 120 * kMiB;
  EXPECT_EQ(Look(Seconds(1))->giveable_bytes, 120 * kMiB) << "never more than is available";
}

TEST_F(WorkingSetTest, HeadroomIsInZonesThatServeTheKernel) {
  EXPECT_EQ(LookTwice().kernel_headroom_bytes, 80 * kMiB) << "DMA32 is short, Movable does not count";
}

TEST_F(WorkingSetTest, LeavesOutTheBalloonThatMemTotalStillCounts) {
  facts_.counted_balloon_bytes = 400 * kMiB;
  EXPECT_EQ(LookTwice().bytes, (1024 - 400 - 300 - 150) * kMiB);
}

TEST_F(WorkingSetTest, CountsRatesOverTheLastSecond) {
  Look(Nanos{0});
  *facts_.vmstat.refault_anon_pages += 100;
  *facts_.vmstat.refault_file_pages += 500;
  *facts_.vmstat.alloc_stalls += 14;
  *facts_.vmstat.scan_direct_pages += 900;
  *facts_.vmstat.steal_kswapd_pages += 200;
  const WorkingSet set = *Look(Seconds(2));
  EXPECT_EQ(set.refault_bytes_per_second, 300 * kPage);
  EXPECT_EQ(set.allocation_stalls_per_second, 7);
  EXPECT_EQ(set.scan_per_steal_percent, 450);
  const WorkingSet later = *Look(Seconds(1));
  EXPECT_EQ(later.refault_bytes_per_second, 0);
  EXPECT_EQ(later.allocation_stalls_per_second, 0);
  EXPECT_EQ(later.scan_per_steal_percent, 0) << "nothing was scanned";
}

TEST_F(WorkingSetTest, AScanThatFindsNothingIsTheWorst) {
  Look(Nanos{0});
  *facts_.vmstat.scan_kswapd_pages += 5;
  EXPECT_EQ(Look(Seconds(1))->scan_per_steal_percent, 500);
  *facts_.vmstat.scan_kswapd_pages += 1'000'000'000;
  EXPECT_EQ(Look(Seconds(1))->scan_per_steal_percent, 100'000);
}

TEST_F(WorkingSetTest, AGuestThatRefaultsNeedsMoreAndGivesNothing) {
  const WorkingSet before = LookTwice();
  *facts_.vmstat.refault_file_pages += 5'000;
  const WorkingSet during = *Look(Seconds(1));
  EXPECT_EQ(during.giveable_bytes, 0);
  EXPECT_EQ(during.bytes, before.bytes + 5'000 * kPage);
  const WorkingSet after = *Look(Seconds(1));
  EXPECT_EQ(after.giveable_bytes, before.giveable_bytes);
  EXPECT_EQ(after.bytes, before.bytes + 5'000 * kPage) << "what was missed is still remembered";
  for (int second = 0; second < 10; ++second) Look(Seconds(1));
  EXPECT_EQ(Look(Seconds(1))->bytes, before.bytes) << "and forgotten after ten seconds";
}

TEST_F(WorkingSetTest, AFewRefaultsAreNoShortage) {
  const WorkingSet before = LookTwice();
  *facts_.vmstat.refault_file_pages += 63;
  EXPECT_EQ(Look(Seconds(1))->giveable_bytes, before.giveable_bytes);
  *facts_.vmstat.refault_file_pages += 64;
  EXPECT_EQ(Look(Seconds(1))->giveable_bytes, 0);
}

TEST_F(WorkingSetTest, GoesByTheGenerationsOnceTheyTellColdFromWarm) {
  const int64_t pages = 500 * kMiB / kPage;
  facts_.generations = kernel::LruGenerations{.pages = pages,
                                              .judged_pages = pages / 2 - 1,
                                              .cold_anon_pages = 60 * kMiB / kPage,
                                              .cold_file_pages = 90 * kMiB / kPage};
  EXPECT_EQ(LookTwice().method, WorkingSetMethod::kRefault) << "less than half of the pages were judged";
  facts_.generations->judged_pages = pages;
  const WorkingSet set = *Look(Seconds(1));
  EXPECT_EQ(set.method, WorkingSetMethod::kMglru);
  EXPECT_EQ(set.bytes, (1024 - 300 - 60 - 90) * kMiB);
  EXPECT_EQ(set.giveable_bytes, (80 + 180 + 90 - 10) * kMiB) << "cold anonymous memory cannot just leave";
  facts_.generations->pages = facts_.generations->judged_pages = 0;
  EXPECT_EQ(Look(Seconds(1))->method, WorkingSetMethod::kRefault) << "switched off";
}

TEST_F(WorkingSetTest, MakesDoWithoutCountersAndWithCountersThatFell) {
  LookTwice();
  facts_.vmstat.refault_file_pages = 0;
  facts_.vmstat.alloc_stalls = 0;
  const WorkingSet fell = *Look(Seconds(1));
  EXPECT_EQ(fell.refault_bytes_per_second, 0);
  EXPECT_EQ(fell.allocation_stalls_per_second, 0);
  facts_.vmstat = {};
  facts_.meminfo.inactive_file_bytes.reset();
  const WorkingSet bare = *Look(Seconds(1));
  EXPECT_EQ(bare.bytes, 724 * kMiB);
  EXPECT_EQ(bare.giveable_bytes, 260 * kMiB);
}

TEST_F(WorkingSetTest, SurvivesTheLargestNumbersAParserLetsThrough) {
  constexpr int64_t kHuge = int64_t{1} << 62;
  Look(Nanos{0});
  facts_.page_size_bytes = 64 * kKiB;
  facts_.meminfo.total_bytes = facts_.meminfo.inactive_file_bytes.emplace() = kHuge;
  facts_.meminfo.dirty_bytes = facts_.meminfo.writeback_bytes = facts_.meminfo.mapped_bytes = kHuge;
  facts_.vmstat.refault_anon_pages = facts_.vmstat.refault_file_pages = facts_.vmstat.scan_direct_pages =
      facts_.vmstat.scan_kswapd_pages = kHuge;
  facts_.generations = kernel::LruGenerations{kHuge, kHuge, kHuge, kHuge};
  facts_.counted_balloon_bytes = kHuge;
  const WorkingSet set = *Look(Seconds(1));
  EXPECT_EQ(set.bytes, 0);
  EXPECT_EQ(set.giveable_bytes, 0);
  EXPECT_EQ(set.refault_bytes_per_second, kHuge);
}

}  // namespace
}  // namespace ballast::agent
