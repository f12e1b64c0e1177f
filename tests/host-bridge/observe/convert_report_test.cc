#include "host-bridge/observe/convert_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "ballast/guest/v1/guest_agent.pb.h"
#include "common/base/text.h"
#include "common/base/units.h"

namespace ballast::observe {
namespace {

using ::testing::HasSubstr;
using wire = ballast::guest::v1::Report;

constexpr MonotonicTime kNow{Seconds(5000).count};
constexpr Nanos kGuestTime = Seconds(300);

wire GoodReport(Nanos at = kGuestTime) {
  wire report;
  report.set_monotonic_ns(at.count);
  auto& info = *report.mutable_meminfo();
  info.set_total_bytes(kGiB);
  info.set_free_bytes(100 * kMiB);
  info.set_available_bytes(300 * kMiB);
  info.set_swap_total_bytes(0);
  info.set_committed_bytes(5 * kGiB);
  report.mutable_vmstat()->set_oom_kills(2);
  report.mutable_vmstat()->set_refault_file_pages(1000);
  report.mutable_vmstat()->set_refault_anon_pages(500);
  report.mutable_psi_memory()->set_some_total_us(123'456);
  report.mutable_derived()->set_consumption_bytes_per_second(-3 * kMiB);
  report.mutable_derived()->set_recent_stall_permyriad(700);
  return report;
}

ReportContext Context(std::optional<ClockOffset> offset = std::nullopt) {
  return {.agent_generation = 7, .page_size_bytes = 4096, .clock_offset = offset, .received_at = kNow};
}

TEST(ConvertReport, TakesWhatThePolicyNeeds) {
  const auto converted = ConvertReport(GoodReport(), Context(), std::nullopt);
  ASSERT_TRUE(converted.ok()) << converted.status();
  policy::GuestReading expected;
  expected.total_bytes = kGiB;
  expected.available_bytes = 300 * kMiB;
  expected.free_bytes = 100 * kMiB;
  expected.consumption_bytes_per_second = -3 * kMiB;
  expected.stall_permyriad = 700;
  expected.oom_kills = 2;
  EXPECT_EQ(converted->reading, expected);
}

TEST(ConvertReport, MemoryBlocksAreTakenAndChecked) {
  wire report = GoodReport();
  report.mutable_memory_blocks()->set_block_size_bytes(128 * kMiB);
  report.mutable_memory_blocks()->set_offline_bytes(256 * kMiB);
  const auto converted = ConvertReport(report, Context(), std::nullopt);
  ASSERT_TRUE(converted.ok()) << converted.status();
  ASSERT_TRUE(converted->reading.blocks);
  EXPECT_EQ((*converted->reading.blocks).offline_bytes, 256 * kMiB);
  report.mutable_memory_blocks()->set_offline_bytes(-1);
  EXPECT_FALSE(ConvertReport(report, Context(), std::nullopt).ok());
}

TEST(ConvertReport, WhatTheGuestLacksIsAbsentNotAnError) {
  wire report = GoodReport();
  report.clear_vmstat();
  report.clear_psi_memory();
  report.clear_derived();
  const auto converted = ConvertReport(report, Context(), std::nullopt);
  ASSERT_TRUE(converted.ok()) << converted.status();
  EXPECT_EQ(converted->reading.oom_kills, 0);
  EXPECT_EQ(converted->reading.refault_bytes_per_second, 0);
  EXPECT_EQ(converted->reading.pressure_onset, std::nullopt);
}

// One lie each, and the words of its rejection.
struct Lie {
  const char* what;
  std::function<void(wire&)> tell;
  const char* reason;

  friend void PrintTo(const Lie& lie, std::ostream* out) { *out << lie.what; }
};

class Lies : public ::testing::TestWithParam<Lie> {};

TEST_P(Lies, RejectTheWholeReport) {
  wire report = GoodReport();
  GetParam().tell(report);
  const auto converted = ConvertReport(report, Context(), std::nullopt);
  ASSERT_FALSE(converted.ok());
  EXPECT_EQ(converted.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(MessageOf(converted.status()), HasSubstr(GetParam().reason));
}

constexpr int64_t kMinusOne = -1;  // what a counter that holds 2^64-1 arrives as

INSTANTIATE_TEST_SUITE_P(
    ConvertReport, Lies,
    ::testing::Values(
        Lie{"NoMeminfo", [](wire& r) { r.clear_meminfo(); }, "meminfo is missing"},
        Lie{"NoTotal", [](wire& r) { r.mutable_meminfo()->set_total_bytes(0); }, "meminfo.total_bytes = 0"},
        Lie{"HugeTotal", [](wire& r) { r.mutable_meminfo()->set_total_bytes(INT64_MAX); },
            "meminfo.total_bytes"},
        Lie{"MoreAvailableThanTotal", [](wire& r) { r.mutable_meminfo()->set_available_bytes(kGiB + 1); },
            "meminfo.available_bytes = 1073741825: is above total_bytes = 1073741824"},
        Lie{"MoreFreeThanTotal", [](wire& r) { r.mutable_meminfo()->set_free_bytes(2 * kGiB); },
            "meminfo.free_bytes"},
        Lie{"NegativeAvailable", [](wire& r) { r.mutable_meminfo()->set_available_bytes(kMinusOne); },
            "meminfo.available_bytes = -1"},
        Lie{"TwoToThe63", [](wire& r) { r.mutable_meminfo()->set_free_bytes(INT64_MIN); },
            "meminfo.free_bytes"},
        Lie{"NegativeCached", [](wire& r) { r.mutable_meminfo()->set_cached_bytes(kMinusOne); },
            "cached_bytes"},
        Lie{"SwapFreeAboveTotal", [](wire& r) { r.mutable_meminfo()->set_swap_free_bytes(1); },
            "swap_free_bytes = 1"},
        Lie{"NegativeCommitted", [](wire& r) { r.mutable_meminfo()->set_committed_bytes(kMinusOne); },
            "committed"},
        Lie{"NegativeTime", [](wire& r) { r.set_monotonic_ns(kMinusOne); }, "monotonic_ns = -1"},
        Lie{"EndOfTime", [](wire& r) { r.set_monotonic_ns(INT64_MAX); }, "monotonic_ns"},
        Lie{"NegativeKills", [](wire& r) { r.mutable_vmstat()->set_oom_kills(kMinusOne); },
            "vmstat.oom_kills = -1"},
        Lie{"HugeRefaults", [](wire& r) { r.mutable_vmstat()->set_refault_anon_pages(INT64_MAX); },
            "refault_anon"},
        Lie{"NegativePsi", [](wire& r) { r.mutable_psi_io()->set_full_total_us(kMinusOne); },
            "psi_io.full_total_us"},
        Lie{"PsiShare", [](wire& r) { r.mutable_psi_memory()->set_some_avg10_permyriad(10'001); },
            "psi_memory.some_avg10_permyriad = 10001"},
        Lie{"StallShare", [](wire& r) { r.mutable_derived()->set_recent_stall_permyriad(10'001); },
            "recent_stall"},
        Lie{"NegativeStall", [](wire& r) { r.mutable_derived()->set_recent_stall_permyriad(-1); },
            "recent_stall"},
        Lie{"FastFall",
            [](wire& r) { r.mutable_derived()->set_consumption_bytes_per_second((int64_t{1} << 50) + 1); },
            "derived.consumption_bytes_per_second"},
        Lie{"FastRise",
            [](wire& r) { r.mutable_derived()->set_consumption_bytes_per_second(-(int64_t{1} << 50) - 1); },
            "derived.consumption_bytes_per_second"},
        Lie{"NegativeOnset", [](wire& r) { r.mutable_derived()->set_pressure_onset_ns(kMinusOne); }, "onset"},
        Lie{"HugeBalloon", [](wire& r) { r.mutable_derived()->set_balloon_bytes(INT64_MAX); },
            "balloon_bytes"}),
    [](const auto& test) { return test.param.what; });

TEST(ConvertReport, ThePageSizeIsInputToo) {
  for (const int64_t page : {int64_t{0}, int64_t{-4096}, int64_t{1}, int64_t{5000}, int64_t{1} << 40}) {
    ReportContext context = Context();
    context.page_size_bytes = page;
    EXPECT_THAT(MessageOf(ConvertReport(GoodReport(), context, std::nullopt).status()),
                HasSubstr("page_size"));
  }
}

TEST(ConvertReport, TimeOfOneAgentNeverGoesBack) {
  const auto first = ConvertReport(GoodReport(), Context(), std::nullopt);
  const wire earlier = GoodReport(kGuestTime - Nanos{1});
  EXPECT_THAT(MessageOf(ConvertReport(earlier, Context(), first->memory).status()),
              HasSubstr("before the last"));
  EXPECT_TRUE(ConvertReport(GoodReport(), Context(), first->memory).ok())
      << "the same sample again is no lie";
  ReportContext restarted = Context();
  restarted.agent_generation = 8;
  EXPECT_TRUE(ConvertReport(earlier, restarted, first->memory).ok()) << "another agent, another clock";
}

TEST(ConvertReport, RefaultsBecomeARate) {
  const auto first = ConvertReport(GoodReport(), Context(), std::nullopt);
  wire report = GoodReport(kGuestTime + Milliseconds(500));
  report.mutable_vmstat()->set_refault_file_pages(1256);  // 256 pages of 4 KiB in half a second
  const auto second = ConvertReport(report, Context(), first->memory);
  EXPECT_EQ(second->reading.refault_bytes_per_second, 2 * kMiB);

  // 5 ms later nothing can be said; the rate stands and its window goes on.
  report.set_monotonic_ns((kGuestTime + Milliseconds(505)).count);
  const auto third = ConvertReport(report, Context(), second->memory);
  EXPECT_EQ(third->reading.refault_bytes_per_second, 2 * kMiB);

  report.set_monotonic_ns((kGuestTime + Milliseconds(600)).count);
  report.mutable_vmstat()->set_refault_file_pages(1281);  // 25 pages in 100 ms
  EXPECT_EQ(ConvertReport(report, Context(), third->memory)->reading.refault_bytes_per_second, 1'024'000);
}

TEST(ConvertReport, ARefaultCounterThatGoesBackIsNoRate) {
  const auto first = ConvertReport(GoodReport(), Context(), std::nullopt);
  wire report = GoodReport(kGuestTime + Seconds(1));
  report.mutable_vmstat()->set_refault_file_pages(10);
  const auto second = ConvertReport(report, Context(), first->memory);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->reading.refault_bytes_per_second, 0);
  EXPECT_EQ(second->memory.refault_base_pages, 510);
}

TEST(ConvertReport, ARefaultCounterThatLeapsIsALie) {
  const auto first = ConvertReport(GoodReport(), Context(), std::nullopt);
  for (const int64_t leap : {int64_t{1} << 60, int64_t{1} << 39}) {
    wire report = GoodReport(kGuestTime + Seconds(1));
    report.mutable_vmstat()->set_refault_file_pages(leap);
    EXPECT_THAT(MessageOf(ConvertReport(report, Context(), first->memory).status()),
                HasSubstr("2^50 bytes a second"));
  }
}

// The guest's clock reads 300 s where the host's reads 5,000 s; known to 1 ms.
const ClockOffset kOffset{kNow - MonotonicTime{kGuestTime.count}, Milliseconds(1)};

Maybe<MonotonicTime> OnsetFor(Nanos guest_time, std::optional<ClockOffset> offset) {
  wire report = GoodReport();
  report.mutable_derived()->set_pressure_onset_ns(guest_time.count);
  return ConvertReport(report, Context(offset), std::nullopt)->reading.pressure_onset;
}

TEST(ConvertReport, TheOnsetOfPressureIsPlacedOnTheHostsClock) {
  EXPECT_EQ(OnsetFor(kGuestTime - Seconds(2), kOffset), kNow - Seconds(2));
  EXPECT_EQ(OnsetFor(kGuestTime - Seconds(2), std::nullopt), std::nullopt);
}

TEST(ConvertReport, AnOnsetThatCannotBeIsDropped) {
  EXPECT_EQ(OnsetFor(kGuestTime + Microseconds(900), kOffset), kNow) << "within what the offset is unsure";
  EXPECT_EQ(OnsetFor(kGuestTime + Milliseconds(2), kOffset), std::nullopt);
  const ClockOffset old_guest{kNow - MonotonicTime{Seconds(4000).count}, Nanos{0}};
  EXPECT_EQ(OnsetFor(Seconds(4000 - 600), old_guest), kNow - Seconds(600));
  EXPECT_EQ(OnsetFor(Seconds(4000 - 601), old_guest), std::nullopt);
}

TEST(ConvertReport, TheSameInputGivesTheSameOutput) {
  const auto memory = ConvertReport(GoodReport(), Context(kOffset), std::nullopt)->memory;
  const wire report = GoodReport(kGuestTime + Seconds(3));
  EXPECT_EQ(*ConvertReport(report, Context(kOffset), memory),
            *ConvertReport(report, Context(kOffset), memory));
}

}  // namespace
}  // namespace ballast::observe
