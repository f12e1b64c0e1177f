#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "tests/guest-agent/sensors/sampler_story.h"

namespace ballast::agent {
namespace {

TEST(Sampler, TheFirstLookAlwaysReports) {
  Story story;
  story.Facts().available_bytes = 800 * kMiB;
  const Step step = story.Look();
  EXPECT_TRUE(step.report_now);
  EXPECT_EQ(step.derived.level, Level::kQuiet);
  EXPECT_EQ(step.derived.consumption_bytes_per_second, 0);
  EXPECT_FALSE(step.derived.time_to_exhaustion.has_value());
}

TEST(Sampler, AFlatGuestIsQuietAndReportsOnlyByCadence) {
  Story story;
  const Step step = story.Play(Seconds(60), Flat(900 * kMiB));
  EXPECT_EQ(step.derived.level, Level::kQuiet);
  EXPECT_EQ(step.derived.consumption_bytes_per_second, 0);
  EXPECT_LE(story.Reports(), 7);
  EXPECT_GE(story.Reports(), 6);
  // 900 MiB less the critical 10 %, at 1 GiB/s, quartered: about 195 ms.
  EXPECT_GE(step.next_sample_in, Milliseconds(150));
  EXPECT_LE(story.Looks(), 60 * 1000 / 150);
}

TEST(Sampler, AHugeQuietGuestIsLookedAtSeldomButWithinItsCadence) {
  SamplerConfig config;
  config.cadence.quiet = Seconds(60);
  Story story(config);
  story.Facts().total_bytes = 512 * kGiB;
  const Step step = story.Play(Seconds(120), Flat(500 * kGiB));
  EXPECT_EQ(step.next_sample_in, Seconds(10));
}

TEST(Sampler, AFastAllocatorIsCriticalBeforeMemoryIsGone) {
  for (const int64_t rate : {200 * kMiB, kGiB, 2 * kGiB}) {
    Story story;
    story.Play(Seconds(5), Flat(900 * kMiB));
    const int before = story.Looks();
    const Step step = story.Play(Seconds(10), Falling(900 * kMiB, rate),
                                 [](const Step& s) { return s.derived.level == Level::kCritical; });
    ASSERT_EQ(step.derived.level, Level::kCritical) << rate;
    EXPECT_TRUE(step.report_now);
    EXPECT_GE(*story.Facts().available_bytes, 60 * kMiB) << rate;
    EXPECT_LT(story.Looks() - before, 300) << rate;
  }
}

TEST(Sampler, TheRateOfAFastAllocatorIsFoundWithinTwentyMilliseconds) {
  Story story;
  story.Play(Milliseconds(600), Flat(300 * kMiB));
  const MonotonicTime start = story.Now();
  const Step step = story.Play(Milliseconds(400), Falling(300 * kMiB, 400 * kMiB), [](const Step& s) {
    return s.derived.consumption_bytes_per_second > 300 * kMiB;
  });
  EXPECT_GT(step.derived.consumption_bytes_per_second, 300 * kMiB);
  EXPECT_LT(step.derived.consumption_bytes_per_second, 500 * kMiB);
  // One interval until it is seen at all (here 49 ms), then 20 ms.
  EXPECT_LE(story.Now() - start, Milliseconds(75));
  ASSERT_TRUE(step.derived.time_to_exhaustion.has_value());
}

TEST(Sampler, ASlowLeakPassesThroughTheLevelsOneByOne) {
  Story story;
  std::vector<Level> seen;
  const Step step = story.Play(Seconds(300), Falling(900 * kMiB, 3 * kMiB), [&](const Step& s) {
    if (seen.empty() || seen.back() != s.derived.level) {
      EXPECT_TRUE(s.report_now);
      seen.push_back(s.derived.level);
    }
    return s.derived.level == Level::kCritical;
  });
  EXPECT_EQ(seen, (std::vector{Level::kQuiet, Level::kArmed, Level::kPressed, Level::kCritical}));
  // A leak this slow announces no exhaustion; only the threshold (102.4 MiB) speaks.
  EXPECT_GT(*story.Facts().available_bytes, 101 * kMiB);
  EXPECT_LT(*story.Facts().available_bytes, 102.4 * kMiB);
  EXPECT_GT(step.derived.consumption_bytes_per_second, 2 * kMiB);
  EXPECT_LT(step.derived.consumption_bytes_per_second, 4 * kMiB);
}

TEST(Sampler, OneWrongSampleIsNoExhaustion) {
  Story story;
  story.Play(Seconds(2), Flat(400 * kMiB));
  for (int i = 0; i < 8; ++i) {
    story.Pass(Milliseconds(4));
    story.Look();
  }
  story.Pass(Milliseconds(4));
  story.Facts().available_bytes = 250 * kMiB;
  const Step outlier = story.Look();
  EXPECT_LT(outlier.derived.level, Level::kCritical);
  EXPECT_FALSE(outlier.derived.time_to_exhaustion.has_value());
  EXPECT_LE(outlier.next_sample_in, Milliseconds(5)) << "but it is looked at again at once";
  story.Facts().available_bytes = 400 * kMiB;
  for (int i = 0; i < 8; ++i) {
    story.Pass(Milliseconds(2));
    EXPECT_LT(story.Look().derived.level, Level::kCritical);
  }
}

TEST(Sampler, OneWrongSampleAmongFarApartOnesIsNoTrend) {
  Story story;
  for (const int64_t available : {400 * kMiB, 400 * kMiB, 150 * kMiB, 400 * kMiB}) {
    story.Facts().available_bytes = available;
    story.Pass(Milliseconds(50));
    EXPECT_EQ(story.Look().derived.consumption_bytes_per_second, 0);
  }
}

TEST(Sampler, NoiseAroundALevelAnnouncesNothing) {
  Story story;
  bool up = false;
  const Step step = story.Play(Seconds(2), [&](Nanos) {
    up = !up;
    return 150 * kMiB + (up ? 200 * kKiB : 0);
  });
  EXPECT_EQ(step.derived.level, Level::kPressed);
  EXPECT_FALSE(step.derived.time_to_exhaustion.has_value());
}

TEST(Sampler, FlappingAroundAThresholdDoesNotReportEveryTime) {
  Story story;
  bool up = false;
  story.Play(Seconds(10), [&](Nanos) {
    up = !up;
    return up ? 520 * kMiB : 500 * kMiB;  // armed begins below 512 MiB
  });
  EXPECT_LE(story.Reports(), 30);
}

TEST(Sampler, FlappingWhileLookedAtFastDoesNotReportEveryTimeEither) {
  Story story;
  int looks = 0;
  story.Play(Seconds(10), [&](Nanos) {
    return ++looks % 6 < 3 ? 205 * kMiB : 204 * kMiB;  // pressed begins below 204.8 MiB
  });
  EXPECT_LE(story.Reports(), 102) << "a report every 100 ms and no more";
}

// An agent that starts falls into somebody's step, and what it then says may stand for ten seconds.
TEST(Sampler, TwoSamplesMakeNoTrend) {
  Story story;
  story.Facts().available_bytes = 900 * kMiB;
  story.Look();
  story.Pass(Milliseconds(100));
  story.Facts().available_bytes = 500 * kMiB;
  const Step step = story.Look();
  EXPECT_EQ(step.derived.level, Level::kArmed);
  EXPECT_EQ(step.derived.consumption_bytes_per_second, 0);
  EXPECT_FALSE(step.derived.time_to_exhaustion.has_value());
  EXPECT_LE(step.next_sample_in, Milliseconds(10)) << "but it is looked at again soon";
}

TEST(Sampler, ASuddenFallIsLookedAtAgainSoon) {
  Story story;
  story.Play(Seconds(2), Flat(900 * kMiB));
  const Step step = story.Play(Milliseconds(0), Flat(850 * kMiB));
  EXPECT_GT(step.next_sample_in, Milliseconds(100)) << "no time has passed, so nothing is known of its speed";
  story.Pass(Milliseconds(200));
  EXPECT_LE(story.Play(Milliseconds(0), Flat(800 * kMiB)).next_sample_in, Milliseconds(10));
}

TEST(Sampler, StallsAtACgroupsOwnLimitWithPlentyAvailableAreNotPressure) {
  Story story;
  story.Facts().stall_total_us = 0;
  const Step step = story.Play(Seconds(2), [&](Nanos t) {
    story.Facts().stall_total_us = t.count / 1'000 * 4 / 10;  // 40 % stalled
    return 800 * kMiB;
  });
  EXPECT_EQ(step.derived.level, Level::kQuiet);
  EXPECT_NEAR(step.derived.recent_stall_permyriad, 4'000, 50);
}

TEST(Sampler, TheSameStallsWhileMemoryIsShortArePressure) {
  Story story;
  story.Facts().stall_total_us = 0;
  const Step step = story.Play(Seconds(2), [&](Nanos t) {
    story.Facts().stall_total_us = t.count / 1'000 * 4 / 10;
    return 400 * kMiB;
  });
  EXPECT_EQ(step.derived.level, Level::kPressed);
}

TEST(Sampler, StallsAreForgottenAfterTheirWindow) {
  Story story;
  story.Facts().stall_total_us = 0;
  story.Play(Milliseconds(300), Flat(400 * kMiB));
  story.Facts().stall_total_us = 80'000;
  EXPECT_GT(story.Play(Milliseconds(1), Flat(400 * kMiB)).derived.recent_stall_permyriad, 1'000);
  EXPECT_EQ(story.Play(Seconds(1), Flat(400 * kMiB)).derived.recent_stall_permyriad, 0);
}

TEST(Sampler, OnsetIsTheFirstPressedSampleOfTheSpell) {
  Story story;
  story.Play(Seconds(1), Flat(800 * kMiB));
  story.Pass(Milliseconds(10));
  const MonotonicTime onset = story.Now();
  Step step = story.Play(Milliseconds(500), Flat(150 * kMiB));
  EXPECT_EQ(step.derived.pressure_onset, onset);
  step = story.Play(Milliseconds(500), Flat(50 * kMiB));
  EXPECT_EQ(step.derived.level, Level::kCritical);
  EXPECT_EQ(step.derived.pressure_onset, onset) << "worse is still the same spell";
}

TEST(Sampler, RecoveryEndsTheSpellAndTheNextOneHasItsOwnOnset) {
  Story story;
  story.Play(Milliseconds(200), Flat(50 * kMiB));
  Step step = story.Play(Seconds(1), Flat(900 * kMiB));
  EXPECT_EQ(step.derived.level, Level::kQuiet);
  EXPECT_FALSE(step.derived.pressure_onset.has_value());
  story.Pass(Milliseconds(100));
  const MonotonicTime onset = story.Now();
  step = story.Play(Milliseconds(10), Flat(50 * kMiB));
  EXPECT_EQ(step.derived.pressure_onset, onset);
}

TEST(Sampler, MemoryThatComesBackIsANegativeConsumption) {
  Story story;
  const Step step =
      story.Play(Milliseconds(200), [](Nanos t) { return 100 * kMiB + t.count / 1'000 * 1'000; });
  EXPECT_LT(step.derived.consumption_bytes_per_second, -900'000'000);
  EXPECT_FALSE(step.derived.time_to_exhaustion.has_value());
}

TEST(Sampler, WhilePressedItLooksEveryFewMilliseconds) {
  Story story;
  for (const int64_t available : {200 * kMiB, 50 * kMiB, int64_t{0}}) {
    const Step step = story.Play(Milliseconds(100), Flat(available));
    EXPECT_GE(step.derived.level, Level::kPressed);
    EXPECT_GE(step.next_sample_in, Milliseconds(2));
    EXPECT_LE(step.next_sample_in, Milliseconds(5));
  }
}

TEST(Sampler, NothingAvailableIsCriticalWhateverTheThresholds) {
  SamplerConfig config;
  config.thresholds.critical = {1, 0, 0};
  Story story(config);
  EXPECT_EQ(story.Play(Milliseconds(0), Flat(0)).derived.level, Level::kCritical);
}

TEST(Sampler, TheNextLookComesBeforeAnAllocatorOfTheAssumedSpeedIsThrough) {
  for (const int64_t available : {900 * kMiB, 500 * kMiB, 250 * kMiB}) {
    Story story;
    const Step step = story.Play(Milliseconds(0), Flat(available));
    const double headroom = static_cast<double>(available) - 0.1 * static_cast<double>(kTotal);
    const double eaten_ms = headroom / static_cast<double>(kGiB) * 1'000;
    EXPECT_LE(static_cast<double>(step.next_sample_in.count) / 1e6, eaten_ms / 4 + 0.01) << available;
  }
}

TEST(Sampler, AFasterAssumedBurstLooksMoreOften) {
  SamplerConfig config;
  config.assumed_burst_bytes_per_second = 8 * kGiB;
  Story fast(config);
  Story usual;
  EXPECT_LT(fast.Play(Milliseconds(0), Flat(900 * kMiB)).next_sample_in.count * 7,
            usual.Play(Milliseconds(0), Flat(900 * kMiB)).next_sample_in.count);
}

TEST(Sampler, ImpossibleReadingsHoldTheLevel) {
  Story story;
  story.Play(Milliseconds(200), Flat(150 * kMiB));
  const std::vector<std::optional<int64_t>> wrong = {
      std::nullopt, -1, kTotal + 1, std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()};
  for (const auto& available : wrong) {
    story.Pass(Milliseconds(5));
    story.Facts().available_bytes = available;
    const Step step = story.Look();
    EXPECT_EQ(step.derived.level, Level::kPressed);
    EXPECT_FALSE(step.derived.time_to_exhaustion.has_value());
    EXPECT_GE(step.next_sample_in, Milliseconds(2));
  }
}

TEST(Sampler, ExtremeCountersDoNotOverflow) {
  Story story;
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  story.Facts().balloon_inflate_pages = 0;
  story.Facts().balloon_deflate_pages = 0;
  story.Facts().stall_total_us = 0;
  story.Facts().total_bytes = kMost;
  story.Play(Milliseconds(10), Flat(kMost));
  story.Facts().balloon_inflate_pages = kMost;
  story.Facts().balloon_deflate_pages = kMost / 2;
  story.Facts().stall_total_us = kMost;
  story.Pass(Milliseconds(10));
  const Step step = story.Play(Milliseconds(20), Flat(0));
  EXPECT_EQ(step.derived.level, Level::kCritical);
  EXPECT_GT(step.derived.balloon_bytes.value_or(0), 0);
  EXPECT_LE(step.derived.recent_stall_permyriad, 10'000);
}

TEST(Sampler, TimeThatStandsStillOrRunsBackIsNoRate) {
  Story story;
  story.Facts().available_bytes = 800 * kMiB;
  story.Look();
  story.Facts().available_bytes = 600 * kMiB;
  EXPECT_EQ(story.Look().derived.consumption_bytes_per_second, 0);
  story.Pass(Milliseconds(-50));
  EXPECT_EQ(story.Look().derived.consumption_bytes_per_second, 0);
}

TEST(Sampler, AnOomKillIsAnEventOnceWithItsCount) {
  Story story;
  story.Facts().oom_kills = 7;
  EXPECT_EQ(story.Play(Milliseconds(0), Flat(800 * kMiB)).oom_kills, 0) << "what was before does not count";
  story.Facts().oom_kills = 9;
  story.Pass(Milliseconds(50));
  const Step step = story.Look();
  EXPECT_EQ(step.oom_kills, 2);
  EXPECT_TRUE(step.report_now);
  story.Pass(Milliseconds(50));
  EXPECT_EQ(story.Look().oom_kills, 0);
}

TEST(Sampler, AFiredTriggerIsToldAtOnce) {
  Story story;
  story.Play(Milliseconds(10), Flat(800 * kMiB));
  story.Pass(Milliseconds(10));
  story.Facts().trigger_fired = true;
  const Step step = story.Look();
  EXPECT_TRUE(step.trigger_fired);
  EXPECT_TRUE(step.report_now);
}

TEST(Sampler, LimitsFollowTheSizeWithinTheirBoundsAndStayInOrder) {
  const Thresholds defaults;
  EXPECT_EQ(ToBytes(defaults, 1000 * kMiB), (LevelBytes{500 * kMiB, 200 * kMiB, 100 * kMiB}));
  EXPECT_EQ(ToBytes(defaults, 100 * kGiB), (LevelBytes{50 * kGiB, kGiB, 256 * kMiB}));
  EXPECT_EQ(ToBytes(defaults, 100 * kMiB), (LevelBytes{64 * kMiB, 64 * kMiB, 32 * kMiB}));
  EXPECT_EQ(ToBytes(defaults, -5), (LevelBytes{64 * kMiB, 64 * kMiB, 32 * kMiB}));
}

}  // namespace
}  // namespace ballast::agent
