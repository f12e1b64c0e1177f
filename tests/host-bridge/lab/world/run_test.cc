// A world as a whole: time, looks, commands and what is measured.
#include "host-bridge/lab/world/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "host-bridge/lab/world/static_sizes.h"
#include "tests/host-bridge/lab/world/small_world.h"

namespace ballast::sim {
namespace {

using ::testing::ElementsAre;

double InSeconds(Nanos span) { return static_cast<double>(span.count) * 1e-9; }

TEST(Run, AQuietWorldIsMeasuredInFull) {
  WorldPlan plan =
      SmallWorld(Seconds(3'600), {QuietGuest("a", kGiB, 300 * kMiB), QuietGuest("b", 2 * kGiB, 500 * kMiB)});
  plan.guests[1].starts_at = Seconds(600);
  const Measures measures = sim::Run(plan, StaticSizes()).measures;
  EXPECT_EQ(measures.guest_time, Seconds(3'600 + 3'000));
  EXPECT_EQ(measures.guest_oom_kills + measures.host_oom_kills + measures.commands + measures.reversals, 0);
  EXPECT_EQ(measures.starved, Nanos{});
  EXPECT_EQ(measures.stalled, Nanos{});
  // Programs, kernel and page metadata: what is resident is used, but for the boot.
  const double a = 3'600.0 * (300 + 16 + 32 + 20) * kMiB;
  const double b = 3'000.0 * (500 + 32 + 32 + 24) * kMiB;
  EXPECT_NEAR(measures.used_byte_seconds, a + b, 0.01 * (a + b));
  EXPECT_NEAR(measures.residency_amplification(), 1.0, 0.001);
  EXPECT_NEAR(measures.host_peak_bytes, 2 * kGiB + 2 * 32 * kMiB + 956 * kMiB, 8 * kMiB);
}

TEST(Run, APeriodicControllerLooksAtItsTimes) {
  std::vector<int64_t> looks;
  const auto look = [&](const WorldSight& sight, std::vector<Command>&) {
    looks.push_back(TimeOf(sight).count / 1'000'000);
  };
  const WorldPlan plan = SmallWorld(Seconds(30), {QuietGuest("a", kGiB, 300 * kMiB)});
  (void)sim::Run(plan, FunctionController(look, {.period = Milliseconds(7'500)}));
  EXPECT_THAT(looks, ElementsAre(0, 7'500, 15'000, 22'500, 30'000));
}

TEST(Run, APeriodicControllerSeesFreshStatistics) {
  Nanos oldest;
  bool saw_growth = false;
  const auto look = [&](const WorldSight& sight, std::vector<Command>&) {
    if (TimeOf(sight) < Seconds(5)) return;
    oldest = std::max(oldest, sight.now - sight.guests[0].stats_at);
    if (TimeOf(sight) >= Seconds(105) && TimeOf(sight) < Seconds(106))
      saw_growth = sight.guests[0].available_bytes < 300 * kMiB;
  };
  WorldPlan plan = SmallWorld(Seconds(200), {QuietGuest("a", kGiB, 300 * kMiB)});
  plan.guests[0].workload =
      Script({{.length = Seconds(100), .anon_bytes = 300 * kMiB},
              {.length = Seconds(300), .anon_bytes = 700 * kMiB, .anon_bytes_per_second = 200 * kMiB}});
  (void)sim::Run(plan, FunctionController(look, {.period = Seconds(1)}));
  EXPECT_LE(oldest, Seconds(2));
  EXPECT_TRUE(saw_growth);
}

// 900 MiB at 400 MiB/s: an event-driven controller hears of it half a second before the end, however long it
// rested.
TEST(Run, APressedGuestWakesAnEventDrivenController) {
  std::vector<Nanos> urgent;
  WorldPlan plan = SmallWorld(Seconds(200), {QuietGuest("a", kGiB, 100 * kMiB)});
  plan.guests[0].workload =
      Script({{.length = Milliseconds(104'300), .anon_bytes = 100 * kMiB},
              {.length = Seconds(300), .anon_bytes = 900 * kMiB, .anon_bytes_per_second = 400 * kMiB}});
  const auto look = [&](const WorldSight& sight, std::vector<Command>&) {
    const auto& report = sight.guests[0].report;
    if (!report || sight.now != report->at) return;
    if (report->value.consumption_bytes_per_second / 2 >= report->value.available_bytes)
      urgent.push_back(TimeOf(sight));
  };
  const Measures measures =
      sim::Run(plan, FunctionController(look, {.event_driven = true, .rests = true})).measures;
  ASSERT_GT(urgent.size(), 3u);
  // 976 - 20 - 100 - 66 MiB (high watermark) were available: 200 of them, half a second's worth, are left
  // after 1.475 s.
  EXPECT_NEAR(InSeconds(urgent[0]), 104.3 + 1.475, 0.02);
  EXPECT_EQ(urgent[1] - urgent[0], Milliseconds(100));
  EXPECT_EQ(measures.guest_oom_kills, 0);
}

TEST(Run, ARestingControllerIsLookedAtSeldom) {
  for (const bool rests : {false, true}) {
    int looks = 0;
    const auto look = [&](const WorldSight&, std::vector<Command>&) { ++looks; };
    const WorldPlan plan = SmallWorld(Seconds(1'000), {QuietGuest("a", kGiB, 300 * kMiB)});
    (void)sim::Run(plan, FunctionController(look, {.event_driven = true, .rests = rests}));
    EXPECT_NEAR(looks, rests ? 104 : 1'001, 5);
  }
}

TEST(Run, CommandsTakeEffectAfterTheLatency) {
  Nanos seen;
  const auto look = [&](const WorldSight& sight, std::vector<Command>& commands) {
    if (TimeOf(sight) == Seconds(20)) commands.push_back({0, 200 * kMiB});
    if (seen.count == 0 && sight.guests[0].target_bytes == 200 * kMiB) seen = TimeOf(sight);
  };
  const WorldPlan plan = SmallWorld(Seconds(60), {QuietGuest("a", kGiB, 300 * kMiB)});
  const Measures measures =
      sim::Run(plan, FunctionController(look, {.period = Milliseconds(100), .latency = Milliseconds(950)}))
          .measures;
  EXPECT_EQ(seen, Seconds(21));
  EXPECT_EQ(measures.commands, 1);
  EXPECT_EQ(measures.bytes_taken, 200 * kMiB);
  EXPECT_EQ(measures.bytes_given, 0);
}

TEST(Run, TargetsOutsideTheMachineAreClamped) {
  int64_t target = -1;
  const auto look = [&](const WorldSight& sight, std::vector<Command>& commands) {
    if (TimeOf(sight) == Seconds(20)) commands.push_back({0, -5});
    if (TimeOf(sight) == Seconds(30)) commands.push_back({0, 5 * kGiB});
    if (TimeOf(sight) == Seconds(30)) commands.push_back({7, 5});  // no such guest
    target = sight.guests[0].target_bytes;
  };
  const WorldPlan plan = SmallWorld(Seconds(40), {QuietGuest("a", kGiB, 300 * kMiB)});
  (void)sim::Run(plan, FunctionController(look));
  EXPECT_EQ(target, kGiB);
}

// The balloon holds nearly all, the programs want more: a kill that the host's free memory could have
// prevented.
TEST(Run, AKillWithHeadroomIsCountedAsOne) {
  WorldPlan plan = SmallWorld(Seconds(120), {QuietGuest("a", kGiB, 100 * kMiB)});
  plan.guests[0].workload =
      Script({{.length = Seconds(60), .anon_bytes = 100 * kMiB},
              {.length = Seconds(300), .anon_bytes = 700 * kMiB, .anon_bytes_per_second = 200 * kMiB}});
  const Manner manner{.device = {.deflate_on_oom = false}};
  const auto squeeze = SetOnceAt(Seconds(10), 700 * kMiB);
  Measures measures = sim::Run(plan, FunctionController(squeeze, manner)).measures;
  EXPECT_EQ(measures.guest_oom_kills, 1);
  EXPECT_EQ(measures.kills_with_headroom, 1);
  plan.host = Host(2 * kGiB, kGiB);
  measures = sim::Run(plan, FunctionController(squeeze, manner)).measures;
  EXPECT_EQ(measures.guest_oom_kills, 1);
  EXPECT_EQ(measures.kills_with_headroom, 0);
}

TEST(Run, StarvingUnderABalloonIsOurFaultWhereTheHostHadTheMemory) {
  WorldPlan plan = SmallWorld(Seconds(120), {QuietGuest("a", kGiB, 300 * kMiB)});
  const auto squeeze = SetOnceAt(Seconds(20), 900 * kMiB);
  Measures measures = sim::Run(plan, FunctionController(squeeze)).measures;
  EXPECT_NEAR(InSeconds(measures.starved), 100, 3);
  EXPECT_EQ(measures.starved_by_us, measures.starved);
  plan.host = Host(kGiB, 500 * kMiB);
  measures = sim::Run(plan, FunctionController(squeeze)).measures;
  EXPECT_NEAR(InSeconds(measures.starved), 100, 3);
  EXPECT_EQ(measures.starved_by_us, Nanos{});
}

TEST(Run, TheEndOfAShortageIsBlamedAsTheShortageWas) {
  WorldPlan plan = SmallWorld(Seconds(120), {QuietGuest("a", kGiB, 300 * kMiB)});
  plan.host = Host(kGiB, 500 * kMiB);  // has nothing to give
  const auto squeeze_and_release = [](const WorldSight& sight, std::vector<Command>& commands) {
    if (TimeOf(sight) == Seconds(20)) commands.push_back({0, 900 * kMiB});
    if (TimeOf(sight) == Seconds(60)) commands.push_back({0, 0});
  };
  const Measures measures = sim::Run(plan, FunctionController(squeeze_and_release)).measures;
  EXPECT_NEAR(InSeconds(measures.starved), 40, 3);
  EXPECT_EQ(measures.starved_by_us, Nanos{});
}

TEST(Run, SamplesTellTheCourse) {
  const WorldPlan plan =
      SmallWorld(Seconds(100), {QuietGuest("a", kGiB, 300 * kMiB), QuietGuest("b", kGiB, 100 * kMiB)});
  const RunResult result = sim::Run(plan, FunctionController(SetOnceAt(Seconds(30), 400 * kMiB)),
                                    {.sample_every = Seconds(10), .drawn_guests = 1});
  ASSERT_EQ(result.samples.size(), 11u);
  EXPECT_EQ(result.samples[0].at, Nanos{});
  const Sample& last = result.samples.back();
  EXPECT_EQ(last.at, Seconds(100));
  EXPECT_EQ(last.guests_size, 2 * kGiB - 400 * kMiB);
  EXPECT_THAT(last.guest_size, ElementsAre(kGiB - 400 * kMiB));
  EXPECT_EQ(last.guest_used.size(), 1u);
  EXPECT_GT(last.guests_resident, 400 * kMiB);
  EXPECT_EQ(last.host_used, last.guests_resident + 2 * kGiB + 64 * kMiB);
  int64_t commands = 0;
  for (const Sample& sample : result.samples) commands += sample.commands;
  EXPECT_EQ(commands, 1);
}

TEST(Run, WithoutAskingThereAreNoSamples) {
  EXPECT_TRUE(
      sim::Run(SmallWorld(Seconds(100), {QuietGuest("a", kGiB, kMiB)}), StaticSizes()).samples.empty());
}

TEST(Run, EndsWhenThePlanEnds) {
  const WorldPlan plan = SmallWorld(Milliseconds(95'500), {QuietGuest("a", kGiB, kMiB)});
  EXPECT_EQ(sim::Run(plan, StaticSizes()).measures.guest_time, Milliseconds(95'500));
}

TEST(Run, AWorldWithoutGuestsEnds) {
  EXPECT_EQ(sim::Run(SmallWorld(Seconds(100), {}), StaticSizes()).measures.guest_time, Nanos{});
}

TEST(Measures, HoldNoMoreTimeThanFits) {
  Measures sum;
  sum.starved = Nanos{std::numeric_limits<int64_t>::max() - 1};
  sum += sum;
  EXPECT_EQ(sum.starved.count, std::numeric_limits<int64_t>::max());
}

TEST(Measures, AddUpAndKeepTheHighestPeak) {
  Measures sum;
  sum.guest_oom_kills = 1;
  sum.guest_time = Seconds(5);
  sum.resident_byte_seconds = 3;
  sum.used_byte_seconds = 2;
  sum.host_peak_bytes = 7;
  Measures other;
  other.guest_oom_kills = 2;
  other.guest_time = Seconds(4);
  other.resident_byte_seconds = 7;
  other.used_byte_seconds = 2;
  other.host_peak_bytes = 6;
  sum += other;
  EXPECT_EQ(sum.guest_oom_kills, 3);
  EXPECT_EQ(sum.guest_time, Seconds(9));
  EXPECT_EQ(sum.host_peak_bytes, 7);
  EXPECT_DOUBLE_EQ(sum.residency_amplification(), 2.5);
}

}  // namespace
}  // namespace ballast::sim
