#include "guest-agent/service/convert_signals.h"

#include <google/protobuf/arena.h>
#include <gtest/gtest.h>

#include "common/base/units.h"
#include "guest-agent/service/convert.h"

namespace ballast::agent {
namespace {

using guest::v1::Report;

Report Converted(const ReportFacts& facts) {
  Report report;
  FillReport(facts, 0, report);
  return report;
}

TEST(ConvertSignals, WhatIsAbsentStaysAbsent) {
  ReportFacts facts;
  facts.readings.meminfo.emplace();
  const Report report = Converted(facts);
  EXPECT_EQ(report.zones_size() + report.zram_size() + report.cgroups_size(), 0);
  EXPECT_FALSE(report.has_zswap() || report.has_swap() || report.has_working_set() ||
               report.has_direct_reclaim());
}

TEST(ConvertSignals, EachZoneHasItsName) {
  ReportFacts facts;
  auto& zones = facts.readings.signals.zones.emplace();
  zones.Add({.kind = kernel::ZoneKind::kDma32,
             .free_bytes = 1,
             .min_bytes = 2,
             .low_bytes = 3,
             .high_bytes = 4,
             .managed_bytes = 5,
             .present_bytes = 6});
  zones.Add({.kind = kernel::ZoneKind::kMovable});
  const Report report = Converted(facts);
  ASSERT_EQ(report.zones_size(), 2);
  EXPECT_EQ(report.zones(0).ShortDebugString(),
            "name: \"DMA32\" free_bytes: 1 min_bytes: 2 low_bytes: 3 high_bytes: 4 managed_bytes: 5");
  EXPECT_EQ(report.zones(1).name(), "Movable");
}

TEST(ConvertSignals, ZramWithWhatFollowsFromIt) {
  ReportFacts facts;
  ZramReading device{.name = FixedText<16>("zram0"),
                     .algorithm = FixedText<32>("lz4"),
                     .disksize_bytes = 100,
                     .memory = {.original_bytes = 1,
                                .compressed_bytes = 2,
                                .memory_used_bytes = 3,
                                .memory_limit_bytes = 4,
                                .same_pages = 5,
                                .incompressible_pages = 6},
                     .io = {.failed_reads = 7, .failed_writes = 8},
                     .written_back_pages = std::nullopt,
                     .outlook = {.fill_permyriad = 9,
                                 .ratio_permille = std::nullopt,
                                 .incompressible_permyriad = 10,
                                 .time_to_full = std::nullopt}};
  facts.readings.signals.zram.Add(device);
  device.written_back_pages = 0;
  device.outlook.ratio_permille = 2694;
  device.outlook.time_to_full = Milliseconds(1'500);
  facts.readings.signals.zram.Add(device);
  const Report report = Converted(facts);
  ASSERT_EQ(report.zram_size(), 2);
  EXPECT_EQ(
      report.zram(0).ShortDebugString(),
      "name: \"zram0\" disksize_bytes: 100 algorithm: \"lz4\" original_bytes: 1 compressed_bytes: 2 "
      "memory_used_bytes: 3 memory_limit_bytes: 4 same_pages: 5 incompressible_pages: 6 failed_reads: 7 "
      "failed_writes: 8 fill_permyriad: 9 incompressible_permyriad: 10");
  EXPECT_TRUE(report.zram(1).has_written_back_pages());
  EXPECT_EQ(report.zram(1).ratio_permille(), 2694);
  EXPECT_EQ(report.zram(1).time_to_full_ms(), 1'500);
}

TEST(ConvertSignals, SwapAndZswapOfNothingAreNotAbsent) {
  ReportFacts facts;
  facts.readings.signals.swap.emplace();
  facts.readings.meminfo.emplace().zswap_pool_bytes = 0;
  EXPECT_TRUE(Converted(facts).has_swap());
  EXPECT_FALSE(Converted(facts).has_zswap()) << "half of it is nothing";
  facts.readings.meminfo->zswap_stored_bytes = 0;
  EXPECT_TRUE(Converted(facts).has_zswap());
  facts.readings.signals.swap = kernel::Swaps{1, 2, 3, 4};
  EXPECT_EQ(Converted(facts).swap().ShortDebugString(),
            "zram_total_bytes: 1 zram_used_bytes: 2 other_total_bytes: 3 other_used_bytes: 4");
}

TEST(ConvertSignals, Cgroups) {
  ReportFacts facts;
  CgroupReading cgroup{.path = FixedText<256>("/a"), .current_bytes = 5, .limit_bytes = {}, .swap_bytes = {}};
  facts.readings.signals.cgroups.Add(cgroup);
  cgroup.limit_bytes = 0;
  cgroup.swap_bytes = 0;
  cgroup.oom_kills = 3;
  facts.readings.signals.cgroups.Add(cgroup);
  const Report report = Converted(facts);
  EXPECT_EQ(report.cgroups(0).ShortDebugString(), "path: \"/a\" current_bytes: 5");
  EXPECT_EQ(report.cgroups(1).ShortDebugString(),
            "path: \"/a\" current_bytes: 5 limit_bytes: 0 swap_bytes: 0 oom_kills: 3");
}

TEST(ConvertSignals, APressedGuestGivesNothing) {
  ReportFacts facts;
  facts.readings.signals.working_set = WorkingSet{.method = WorkingSetMethod::kMglru,
                                                  .bytes = 1,
                                                  .giveable_bytes = 2,
                                                  .refault_bytes_per_second = 3,
                                                  .allocation_stalls_per_second = 4,
                                                  .scan_per_steal_percent = 5,
                                                  .kernel_headroom_bytes = 6};
  facts.derived.level = Level::kArmed;
  EXPECT_EQ(Converted(facts).working_set().ShortDebugString(),
            "method: METHOD_MGLRU bytes: 1 giveable_bytes: 2 refault_bytes_per_second: 3 "
            "allocation_stalls_per_second: 4 scan_per_steal_percent: 5 kernel_headroom_bytes: 6");
  facts.derived.level = Level::kPressed;
  EXPECT_EQ(Converted(facts).working_set().giveable_bytes(), 0);
  EXPECT_EQ(Converted(facts).working_set().bytes(), 1);
}

TEST(ConvertSignals, StallsThatWereMeasuredCountMoreThanTheCounter) {
  ReportFacts facts;
  facts.readings.signals.reclaim_stalls = 5;
  EXPECT_EQ(Converted(facts).direct_reclaim().ShortDebugString(), "source: SOURCE_COUNTERS count: 5");
  auto& measured = facts.reclaim_stalls.emplace();
  measured.count = 4;
  measured.total_us = 900;
  measured.histogram[19] = 4;
  measured.longest_us = 800;
  measured.cgroup_count = 2;
  measured.cgroup_total_us = 70;
  const auto stalls = Converted(facts).direct_reclaim();
  EXPECT_EQ(stalls.source(), guest::v1::SOURCE_BPF);
  EXPECT_EQ(stalls.count(), 4u);
  EXPECT_EQ(stalls.total_us(), 900u);
  ASSERT_EQ(stalls.histogram_size(), 20);
  EXPECT_EQ(stalls.histogram(19), 4u);
  EXPECT_EQ(stalls.longest_us(), 800u);
  EXPECT_EQ(stalls.cgroup_count(), 2u);
  EXPECT_EQ(stalls.cgroup_total_us(), 70u);
}

// The writer of a stream builds its messages in one piece of memory of this size.
TEST(ConvertSignals, TheLargestHelloFitsItsMemory) {
  ReportFacts facts;
  facts.readings.meminfo.emplace().zswap_pool_bytes = 1;
  facts.readings.meminfo->zswap_stored_bytes = 1;
  facts.readings.vmstat.emplace();
  facts.readings.psi_memory.emplace();
  facts.readings.psi_io.emplace();
  Signals& signals = facts.readings.signals;
  auto& zones = signals.zones.emplace();
  for (size_t i = 0; i < kernel::kZoneKinds; ++i) zones.Add({.kind = static_cast<kernel::ZoneKind>(i)});
  for (size_t i = 0; i < kMaxZramDevices; ++i) {
    ZramReading device;
    device.name = FixedText<16>(std::string(16, 'z'));
    device.algorithm = FixedText<32>(std::string(32, 'z'));
    signals.zram.Add(device);
  }
  for (size_t i = 0; i < kMaxCgroups; ++i) {
    CgroupReading cgroup;
    cgroup.path = FixedText<256>(std::string(256, 'c'));
    signals.cgroups.Add(cgroup);
  }
  signals.swap.emplace();
  signals.working_set.emplace();
  facts.reclaim_stalls.emplace();
  google::protobuf::Arena arena;
  auto* const message = google::protobuf::Arena::CreateMessage<guest::v1::WatchResponse>(&arena);
  FillHello({}, {}, *message->mutable_hello());
  FillReport(facts, 0, *message->mutable_hello()->mutable_report());
  EXPECT_GT(arena.SpaceUsed(), 4 * 1024u);
  EXPECT_LT(arena.SpaceUsed(), 8 * 1024u) << "the writer has 16 KiB";
}

}  // namespace
}  // namespace ballast::agent
