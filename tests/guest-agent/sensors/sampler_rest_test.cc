// When the samples may be left to a watch, and that nothing is learned later for it.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "tests/guest-agent/sensors/sampler_story.h"

namespace ballast::agent {
namespace {

constexpr Nanos kLookMost = Milliseconds(200);  // of a quiet guest of 1 GiB

// A guest whose plan rests whenever it may, while a watch as the kernel's looks in its place.
class WatchedStory {
 public:
  explicit WatchedStory(bool watched) : watched_(watched) { sample_.total_bytes = kTotal; }

  MonotonicTime Now() const { return now_; }
  int Looks() const { return looks_; }

  // As Story::Play.
  Step Play(
      Nanos span, const std::function<int64_t(Nanos)>& available,
      const std::function<bool(const Step&)>& enough = [](const Step&) { return false; }) {
    const MonotonicTime from = now_;
    while (true) {
      sample_.at = now_;
      sample_.available_bytes = available(now_ - from);
      const Step step = plan_.Next(sample_);
      ++looks_;
      if (enough(step) || now_ - from >= span) return step;
      sample_.watch_fired = false;
      sample_.glimpse.reset();
      if (watched_ && step.rest) {
        Sleep(*step.rest, from, available);
      } else {
        now_ = now_ + step.next_sample_in;
      }
    }
  }

 private:
  void Sleep(const Rest& rest, MonotonicTime from, const std::function<int64_t(Nanos)>& available) {
    const MonotonicTime until = now_ + rest.until;
    const int64_t base = *sample_.available_bytes;
    for (MonotonicTime tick = now_ + rest.look_every; tick < until; tick = tick + rest.look_every) {
      const int64_t change = available(tick - from) - base;
      if (change < -rest.fall_bytes || change > rest.rise_bytes) {
        sample_.watch_fired = true;
        now_ = tick;
        return;
      }
      sample_.glimpse = Sample::Glimpse{tick, change};
    }
    now_ = until;
  }

  const bool watched_;
  SamplePlan plan_{Config()};
  Sample sample_;
  MonotonicTime now_ = kStart;
  int looks_ = 0;
};

// The Rest after so many samples at equal distances.
std::optional<Rest> RestAfter(Story& story, int samples, int64_t available, Nanos gap = kLookMost) {
  Step step;
  for (int i = 0; i < samples; ++i) {
    story.Facts().available_bytes = available;
    step = story.Look();
    story.Pass(gap);
  }
  return step.rest;
}

TEST(SamplerRest, BeginsWithTheSecondSampleThatFindsNothingNew) {
  Story story;
  EXPECT_FALSE(RestAfter(story, 2, 900 * kMiB).has_value());
  const auto rest = RestAfter(story, 1, 900 * kMiB);
  ASSERT_TRUE(rest.has_value());
  EXPECT_GE(rest->look_every, Milliseconds(150));
  EXPECT_LE(rest->look_every, kLookMost);
  EXPECT_EQ(rest->until, Seconds(5));
  EXPECT_EQ(rest->fall_bytes, 4 * kMiB);
  EXPECT_EQ(rest->rise_bytes, 4 * kMiB);
  EXPECT_EQ(rest->stall_us, 10'000);
}

TEST(SamplerRest, EndsWithTheFirstByteBelowALimit) {
  for (const auto& [available, left] :
       {std::pair{513 * kMiB, kMiB}, {512 * kMiB, int64_t{0}}, {206 * kMiB, 206 * kMiB - kTotal / 5}}) {
    Story story;
    const auto rest = RestAfter(story, 3, available, Milliseconds(50));
    ASSERT_TRUE(rest.has_value()) << available;
    EXPECT_EQ(rest->fall_bytes, left) << available;
  }
}

TEST(SamplerRest, IsShortWhileArmedAndEndsWhenAReportIsDue) {
  Story story;
  const auto armed = RestAfter(story, 3, 400 * kMiB, Milliseconds(60));
  ASSERT_TRUE(armed.has_value());
  EXPECT_EQ(armed->until, Seconds(1) - Milliseconds(120)) << "since the first report";
  EXPECT_LE(armed->look_every, Milliseconds(75));
}

TEST(SamplerRest, IsNoneWhilePressed) {
  Story story;
  EXPECT_FALSE(RestAfter(story, 50, 150 * kMiB, Milliseconds(5)).has_value());
}

TEST(SamplerRest, IsNoneWhileTheLevelIsAboutToFall) {
  for (const auto& [before, after] : {std::pair{150 * kMiB, 400 * kMiB}, {400 * kMiB, 600 * kMiB}}) {
    Story story;
    RestAfter(story, 10, before, Milliseconds(10));
    EXPECT_FALSE(RestAfter(story, 8, after, Milliseconds(10)).has_value());
    EXPECT_TRUE(RestAfter(story, 10, after, Milliseconds(10)).has_value());
  }
}

TEST(SamplerRest, IsNoneWhileMemoryIsExpectedToEnd) {
  Story story;
  for (int i = 0; i < 10; ++i) {
    story.Facts().available_bytes = 700 * kMiB - i * 2 * kMiB;
    const Step step = story.Look();
    EXPECT_EQ(step.derived.time_to_exhaustion.has_value(), i >= 2) << i;
    EXPECT_FALSE(step.rest.has_value()) << i;
    story.Pass(kLookMost);
  }
}

TEST(SamplerRest, IsNoneWhileMemoryMoves) {
  for (const int64_t step : {-5 * kMiB, 5 * kMiB}) {
    Story story;
    ASSERT_TRUE(RestAfter(story, 3, 700 * kMiB).has_value());
    EXPECT_FALSE(RestAfter(story, 1, 700 * kMiB + step).has_value()) << step;
    EXPECT_FALSE(RestAfter(story, 1, 700 * kMiB + step).has_value()) << step;
    EXPECT_TRUE(RestAfter(story, 1, 700 * kMiB + step).has_value()) << step;
  }
}

TEST(SamplerRest, IsNoneWhileAFallIsToBeConfirmed) {
  Story story;
  ASSERT_TRUE(RestAfter(story, 3, 700 * kMiB).has_value());
  story.Pass(Seconds(3));
  story.Facts().glimpse = Sample::Glimpse{story.Now() - Milliseconds(20), 0};
  EXPECT_TRUE(RestAfter(story, 1, 700 * kMiB - 500 * kKiB).has_value()) << "some pages are no fall";
  story.Facts().glimpse.reset();
  EXPECT_FALSE(RestAfter(story, 1, 698 * kMiB).has_value()) << "2 MiB in 200 ms are 8 MiB/s";
}

TEST(SamplerRest, IsNoneForAMomentAfterSomethingFired) {
  for (const bool watch : {true, false}) {
    Story story;
    ASSERT_TRUE(RestAfter(story, 3, 700 * kMiB).has_value());
    (watch ? story.Facts().watch_fired : story.Facts().trigger_fired) = true;
    EXPECT_FALSE(RestAfter(story, 1, 700 * kMiB, Milliseconds(40)).has_value()) << watch;
    story.Facts().watch_fired = false;
    EXPECT_FALSE(RestAfter(story, 2, 700 * kMiB, Milliseconds(40)).has_value()) << watch;
    EXPECT_TRUE(RestAfter(story, 1, 700 * kMiB, Milliseconds(40)).has_value()) << watch;
  }
}

TEST(SamplerRest, IsOfNoUseWhereSamplesAreAsRare) {
  SamplerConfig config;
  config.cadence.quiet = Milliseconds(100);
  Story story(config);
  EXPECT_FALSE(RestAfter(story, 5, 900 * kMiB).has_value());
}

TEST(SamplerRest, OfSeveralIsTheClosest) {
  const Rest one{Seconds(1), Seconds(5), 3, 4, 5};
  const Rest other{Milliseconds(100), Seconds(1), 4, 1, 9};
  EXPECT_EQ(Closer(one, other), (Rest{Milliseconds(100), Seconds(1), 3, 1, 5}));
  EXPECT_EQ(Closer(one, std::nullopt), std::nullopt);
  EXPECT_EQ(Closer(std::nullopt, other), std::nullopt);
}

// 5 s of rest, then 100 MiB within the last 100 ms and 10 MiB in 10 ms more.
Step BurstAfterRest(std::optional<Sample::Glimpse> glimpse) {
  Story story;
  RestAfter(story, 3, 900 * kMiB);
  story.Pass(Seconds(5) - kLookMost);
  story.Facts().glimpse = glimpse;
  story.Facts().available_bytes = 800 * kMiB;
  (void)story.Look();
  story.Facts().glimpse.reset();
  story.Pass(Milliseconds(10));
  story.Facts().available_bytes = 790 * kMiB;
  return story.Look();
}

TEST(SamplerRest, WhatTheWatchSawLastKeepsARateFromBeingDiluted) {
  const MonotonicTime fired_at = kStart + kLookMost + kLookMost + Seconds(5);
  const Step with = BurstAfterRest(Sample::Glimpse{fired_at - Milliseconds(100), 0});
  EXPECT_EQ(with.derived.consumption_bytes_per_second, 1000 * kMiB);
  EXPECT_TRUE(with.derived.time_to_exhaustion.has_value());
  const Step without = BurstAfterRest(std::nullopt);
  EXPECT_LT(without.derived.consumption_bytes_per_second, 25 * kMiB);
  // Too close to the sample to tell a rate from; before the sample it would follow.
  for (const Nanos before : {Milliseconds(7), Seconds(6)}) {
    const Step useless = BurstAfterRest(Sample::Glimpse{fired_at - before, 0});
    EXPECT_EQ(useless.derived.consumption_bytes_per_second, without.derived.consumption_bytes_per_second)
        << before.count;
  }
}

TEST(SamplerRest, AGlimpseCountsFromTheSampleBeforeIt) {
  Story story;
  RestAfter(story, 3, 900 * kMiB);
  story.Facts().glimpse = Sample::Glimpse{story.Now() - Milliseconds(100), -2 * kMiB};
  story.Facts().available_bytes = 888 * kMiB;
  EXPECT_EQ(story.Look().derived.consumption_bytes_per_second, 20 * kMiB)
      << "2 MiB in 100 ms are slower than 10 MiB";
}

// The longest time, over all moments at which a burst may begin, until it is told that memory is critical.
Nanos LongestUntilTold(bool watched, int64_t rate, int64_t from) {
  Nanos longest{0};
  for (int offset_ms = 0; offset_ms < 400; offset_ms += 7) {
    WatchedStory story(watched);
    const Nanos calm = Seconds(7) + Milliseconds(offset_ms);
    const Nanos told = [&] {
      const MonotonicTime start = story.Now() + calm;
      story.Play(
          Seconds(60),
          [&](Nanos t) {
            return t < calm ? from : std::max<int64_t>(from - rate / 1000 * (t - calm).count / 1'000'000, 0);
          },
          [](const Step& step) { return step.report_now && step.derived.level == Level::kCritical; });
      return story.Now() - start;
    }();
    longest = std::max(longest, told);
  }
  return longest;
}

TEST(SamplerRest, ABurstIsToldAsSoonAsWithoutIt) {
  for (const int64_t from : {900 * kMiB, 700 * kMiB, 450 * kMiB, 300 * kMiB}) {
    for (const int64_t rate : {100 * kMiB, 500 * kMiB, kGiB, 2 * kGiB}) {
      const Nanos without = LongestUntilTold(false, rate, from);
      const Nanos with = LongestUntilTold(true, rate, from);
      EXPECT_LE(with, without + Milliseconds(12))
          << "from " << from / kMiB << " MiB at " << rate / kMiB << " MiB/s";
    }
  }
}

TEST(SamplerRest, AQuietGuestIsHardlyLookedAt) {
  WatchedStory watched(true);
  watched.Play(Seconds(60), Flat(900 * kMiB));
  EXPECT_LE(watched.Looks(), 3 + 60 / 5);
  WatchedStory alone(false);
  alone.Play(Seconds(60), Flat(900 * kMiB));
  EXPECT_GT(alone.Looks(), 20 * watched.Looks());
}

TEST(SamplerRest, ASlowLeakIsSeenAtEachLevelAsSoonAsWithoutIt) {
  for (const Level level : {Level::kArmed, Level::kPressed}) {
    const auto told = [&](bool watched) {
      WatchedStory story(watched);
      story.Play(Seconds(600), Falling(900 * kMiB, 3 * kMiB),
                 [&](const Step& step) { return step.derived.level == level; });
      return story.Now() - kStart;
    };
    EXPECT_LE(told(true), told(false) + kLookMost);
  }
}

}  // namespace
}  // namespace ballast::agent
