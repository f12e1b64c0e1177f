// What becomes of zones, zram, swap and the working set of a report, through the one door ConvertReport.
#include "host-bridge/observe/convert_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "ballast/guest/v1/guest_agent.pb.h"
#include "common/base/units.h"
#include "host-bridge/observe/convert_report.h"

namespace ballast::observe {
namespace {

using ::testing::HasSubstr;
using wire = ballast::guest::v1::Report;

void AddZone(wire& report, const char* name, int64_t free, int64_t low, int64_t managed) {
  auto& zone = *report.add_zones();
  zone.set_name(name);
  zone.set_free_bytes(free);
  zone.set_min_bytes(low / 2);
  zone.set_low_bytes(low);
  zone.set_high_bytes(low + low / 2);
  zone.set_managed_bytes(managed);
}

// 1 GiB of zram, a quarter of it in use and compressed 4 to 1.
guest::v1::ZramDevice& AddZram(wire& report, const char* name) {
  auto& device = *report.add_zram();
  device.set_name(name);
  device.set_disksize_bytes(kGiB);
  device.set_original_bytes(256 * kMiB);
  device.set_compressed_bytes(60 * kMiB);
  device.set_memory_used_bytes(64 * kMiB);
  device.set_ratio_permille(4'000);
  device.set_failed_writes(5);
  return device;
}

wire FullReport(Nanos at = Seconds(300)) {
  wire report;
  report.set_monotonic_ns(at.count);
  report.mutable_meminfo()->set_total_bytes(2 * kGiB);
  report.mutable_meminfo()->set_available_bytes(kGiB);
  AddZone(report, "DMA", 15 * kMiB, kMiB, 15 * kMiB);
  AddZone(report, "DMA32", 300 * kMiB, 20 * kMiB, 900 * kMiB);
  AddZone(report, "Normal", 50 * kMiB, 10 * kMiB, 100 * kMiB);
  AddZone(report, "Movable", 500 * kMiB, 20 * kMiB, kGiB);
  AddZram(report, "zram0");
  report.mutable_swap()->set_zram_total_bytes(kGiB);
  report.mutable_swap()->set_zram_used_bytes(256 * kMiB);
  report.mutable_working_set()->set_giveable_bytes(123 * kMiB);
  return report;
}

absl::StatusOr<ConvertedReport> Convert(const wire& report,
                                        const std::optional<ReportMemory>& memory = std::nullopt) {
  return ConvertReport(
      report, {.agent_generation = 7, .clock_offset = std::nullopt, .received_at = {Seconds(5000).count}},
      memory);
}

policy::GuestReading ReadingOf(const wire& report) {
  const auto converted = Convert(report);
  EXPECT_TRUE(converted.ok()) << converted.status();
  return converted.ok() ? converted->reading : policy::GuestReading{};
}

TEST(MemoryParts, AreAbsentWhereTheGuestDoesNotSay) {
  wire report;
  report.mutable_meminfo()->set_total_bytes(kGiB);
  const policy::GuestReading reading = ReadingOf(report);
  EXPECT_FALSE(reading.kernel_headroom_bytes);
  EXPECT_FALSE(reading.giveable_bytes);
  EXPECT_FALSE(reading.zram_left_bytes);
  EXPECT_FALSE(reading.zram_full_in);
  EXPECT_FALSE(reading.zram_refuses);
}

TEST(MemoryParts, BecomeTheNumbersThePolicyGoesBy) {
  const policy::GuestReading reading = ReadingOf(FullReport());
  EXPECT_EQ(reading.kernel_headroom_bytes, Maybe<int64_t>(320 * kMiB)) << "without Movable and the old DMA";
  EXPECT_EQ(reading.giveable_bytes, Maybe<int64_t>(123 * kMiB));
  EXPECT_EQ(reading.zram_left_bytes, Maybe<int64_t>(768 * kMiB));
  EXPECT_EQ(reading.zram_stored_bytes, 256 * kMiB);
  EXPECT_FALSE(reading.zram_full_in) << "it does not grow";
}

TEST(KernelHeadroom, IsSaidOnlyBesideAMovableZone) {
  wire report = FullReport();
  report.mutable_zones(3)->set_managed_bytes(0);
  EXPECT_FALSE(ReadingOf(report).kernel_headroom_bytes);
  report.mutable_zones(3)->set_managed_bytes(kGiB);
  report.mutable_zones(1)->set_free_bytes(2 * kMiB);
  report.mutable_zones(2)->set_free_bytes(3 * kMiB);
  EXPECT_EQ(ReadingOf(report).kernel_headroom_bytes, Maybe<int64_t>(-25 * kMiB));
  report.mutable_zones(0)->set_managed_bytes(kGiB);
  EXPECT_EQ(ReadingOf(report).kernel_headroom_bytes, Maybe<int64_t>(-11 * kMiB)) << "arm's DMA zone counts";
}

TEST(Zram, ItsLimitCountsByWhatItCompresses) {
  wire report = FullReport();
  report.mutable_zram(0)->set_memory_limit_bytes(100 * kMiB);
  EXPECT_EQ(ReadingOf(report).zram_left_bytes, Maybe<int64_t>(144 * kMiB)) << "36 MiB at 4 to 1";
  report.mutable_zram(0)->clear_ratio_permille();
  EXPECT_EQ(ReadingOf(report).zram_left_bytes, Maybe<int64_t>(36 * kMiB));
  report.mutable_zram(0)->set_memory_limit_bytes(60 * kMiB);
  EXPECT_EQ(ReadingOf(report).zram_left_bytes, Maybe<int64_t>(0)) << "above its limit already";
  report.mutable_zram(0)->set_memory_limit_bytes(int64_t{1} << 60);
  report.mutable_zram(0)->set_ratio_permille(1'000'000);
  EXPECT_EQ(ReadingOf(report).zram_left_bytes, Maybe<int64_t>(768 * kMiB)) << "no overflow";
}

TEST(Zram, ThatHoldsNoSwapIsNone) {
  wire report = FullReport();
  report.mutable_swap()->set_zram_total_bytes(0);
  report.mutable_swap()->set_zram_used_bytes(0);
  EXPECT_FALSE(ReadingOf(report).zram_left_bytes);
  report.clear_swap();
  EXPECT_TRUE(ReadingOf(report).zram_left_bytes) << "unknown: it may";
}

TEST(Zram, TwoThatGrowFillEachOthersRoom) {
  wire report = FullReport();
  const auto full_in_ms = [&] { return (*ReadingOf(report).zram_full_in).count / 1'000'000; };
  report.mutable_zram(0)->set_time_to_full_ms(10'000);  // 76.8 MiB/s
  EXPECT_EQ(full_in_ms(), 10'000);
  AddZram(report, "zram1");
  EXPECT_EQ(full_in_ms(), 20'000);
  report.mutable_zram(1)->set_time_to_full_ms(10'000);
  EXPECT_EQ(full_in_ms(), 10'000);
  EXPECT_EQ(ReadingOf(report).zram_left_bytes, Maybe<int64_t>(1536 * kMiB));
}

TEST(Zram, FullAndStillGrowingIsFullNow) {
  wire report = FullReport();
  report.mutable_zram(0)->set_original_bytes(kGiB);
  report.mutable_zram(0)->set_time_to_full_ms(0);
  EXPECT_EQ(ReadingOf(report).zram_full_in, Maybe<Nanos>(Nanos{0}));
}

TEST(Zram, RefusesWhileItsFailedWritesRose) {
  const auto first = Convert(FullReport());
  ASSERT_TRUE(first.ok());
  EXPECT_FALSE(first->reading.zram_refuses) << "old ones are no news";
  wire report = FullReport(Seconds(301));
  report.mutable_zram(0)->set_failed_writes(6);
  const auto second = Convert(report, first->memory);
  ASSERT_TRUE(second.ok());
  EXPECT_TRUE(second->reading.zram_refuses);
  report.set_monotonic_ns(Seconds(302).count);
  const auto third = Convert(report, second->memory);
  ASSERT_TRUE(third.ok());
  EXPECT_TRUE(third->reading.zram_refuses) << "a report may be replaced by the next";
  report.set_monotonic_ns(Seconds(302).count + 1);
  const auto fourth = Convert(report, third->memory);
  ASSERT_TRUE(fourth.ok());
  EXPECT_FALSE(fourth->reading.zram_refuses);
  report.set_monotonic_ns(Seconds(303).count);
  report.mutable_zram(0)->set_failed_writes(0);
  const auto anew = Convert(report, fourth->memory);
  ASSERT_TRUE(anew.ok());
  EXPECT_FALSE(anew->reading.zram_refuses) << "the device was made anew";
}

struct Lie {
  const char* what;
  std::function<void(wire&)> tell;
  const char* reason;

  friend void PrintTo(const Lie& lie, std::ostream* out) { *out << lie.what; }
};

class PartLies : public ::testing::TestWithParam<Lie> {};

TEST_P(PartLies, RejectTheWholeReport) {
  wire report = FullReport();
  GetParam().tell(report);
  const auto converted = Convert(report);
  ASSERT_FALSE(converted.ok());
  EXPECT_EQ(converted.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(MessageOf(converted.status()), HasSubstr(GetParam().reason));
}

INSTANTIATE_TEST_SUITE_P(
    MemoryParts, PartLies,
    ::testing::Values(
        Lie{"NegativeFree", [](wire& r) { r.mutable_zones(1)->set_free_bytes(-1); },
            "zones[1].free_bytes = -1: is not within"},
        Lie{"MinAboveLow", [](wire& r) { r.mutable_zones(2)->set_min_bytes(11 * kMiB); },
            "zones[2].min_bytes = 11534336: is above low_bytes"},
        Lie{"LowAboveHigh", [](wire& r) { r.mutable_zones(2)->set_high_bytes(9 * kMiB); },
            "zones[2].low_bytes"},
        Lie{"TwoNormals", [](wire& r) { AddZone(r, "Normal", 0, 0, 0); }, "zones with the name"},
        Lie{"NineZones",
            [](wire& r) {
              for (const char* name : {"a", "b", "c", "d", "e"}) AddZone(r, name, 0, 0, 0);
            },
            "number of zones = 9: is above 8"},
        Lie{"MoreManagedThanThereIs", [](wire& r) { r.mutable_zones(3)->set_managed_bytes(4 * kGiB); },
            "sum of zones.managed_bytes"},
        Lie{"MoreFreeThanThereIs", [](wire& r) { r.mutable_zones(3)->set_free_bytes(4 * kGiB); },
            "sum of zones.free_bytes"},
        Lie{"StoresMoreThanItsSize", [](wire& r) { r.mutable_zram(0)->set_original_bytes(kGiB + 1); },
            "zram[0].original_bytes = 1073741825: is above disksize_bytes"},
        Lie{"MoreRamThanThereIs", [](wire& r) { r.mutable_zram(0)->set_memory_used_bytes(5 * kGiB); },
            "sum of zram.memory_used_bytes"},
        Lie{"TwoOfOneName", [](wire& r) { AddZram(r, "zram0"); }, "zram with the name"},
        Lie{"NineDevices",
            [](wire& r) {
              for (const char* name : {"1", "2", "3", "4", "5", "6", "7", "8"}) AddZram(r, name);
            },
            "number of zram = 9"},
        Lie{"NegativeTime", [](wire& r) { r.mutable_zram(0)->set_time_to_full_ms(-1); },
            "zram[0].time_to_full_ms"},
        Lie{"AbsurdRatio", [](wire& r) { r.mutable_zram(0)->set_ratio_permille(1'000'001); },
            "zram[0].ratio_permille"},
        Lie{"AbsurdFailures", [](wire& r) { r.mutable_zram(0)->set_failed_writes(INT64_MAX); },
            "zram[0].failed_writes"},
        Lie{"MoreSwappedThanThereIs", [](wire& r) { r.mutable_swap()->set_other_used_bytes(1); },
            "swap.other_used_bytes = 1"},
        Lie{"GivesWhatItHasNot", [](wire& r) { r.mutable_working_set()->set_giveable_bytes(4 * kGiB + 1); },
            "working_set.giveable_bytes"},
        Lie{"NegativeGift", [](wire& r) { r.mutable_working_set()->set_giveable_bytes(-1); },
            "working_set.giveable_bytes = -1"},
        Lie{"NineCgroups",
            [](wire& r) {
              for (int i = 0; i < 9; ++i) r.add_cgroups();
            },
            "number of cgroups = 9"},
        Lie{"LongPath", [](wire& r) { r.add_cgroups()->set_path(std::string(257, 'x')); },
            "length of cgroups[0].path = 257"},
        Lie{"NegativeZswap", [](wire& r) { r.mutable_zswap()->set_pool_bytes(-1); }, "zswap.pool_bytes"},
        Lie{"ShortHistogram", [](wire& r) { r.mutable_direct_reclaim()->add_histogram(1); },
            "direct_reclaim.histogram = 1: is neither 0 nor 20"},
        Lie{"EndlessStalls", [](wire& r) { r.mutable_direct_reclaim()->set_total_us(UINT64_MAX); },
            "direct_reclaim.total_us"}),
    [](const auto& param) { return param.param.what; });

}  // namespace
}  // namespace ballast::observe
