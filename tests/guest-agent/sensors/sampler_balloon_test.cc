// What the sampler makes of the balloon: events, usable memory and a rate of consumption without it.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/guest-agent/sensors/sampler_story.h"

namespace ballast::agent {
namespace {

TEST(SamplerBalloon, AShrinkingBalloonIsAnEventAndALongDeflationOnlyAFew) {
  Story story;
  story.Facts().balloon_inflate_pages = 100'000;
  story.Facts().balloon_deflate_pages = 0;
  story.Play(Milliseconds(0), Flat(800 * kMiB));
  int events = 0;
  int64_t told = 0;
  for (int i = 0; i < 100; ++i) {  // 256 pages every 5 ms, as deflation on OOM does
    *story.Facts().balloon_deflate_pages += 256;
    story.Pass(Milliseconds(5));
    const Step step = story.Look();
    if (i == 0) {
      EXPECT_EQ(step.balloon_shrank_bytes, kMiB) << "the first is told at once";
      EXPECT_TRUE(step.report_now);
    }
    events += step.balloon_shrank_bytes > 0 ? 1 : 0;
    told += step.balloon_shrank_bytes;
  }
  story.Pass(Milliseconds(100));
  told += story.Look().balloon_shrank_bytes;
  EXPECT_LE(events, 6);
  EXPECT_EQ(told, 100 * kMiB) << "nothing is lost";
}

TEST(SamplerBalloon, TheBalloonIsNotCountedAsUsableWhereMemTotalKeepsIt) {
  Story story;
  story.Facts().total_includes_balloon = true;
  story.Facts().balloon_inflate_pages = 768 * kMiB / 4096;  // 256 MiB are left of 1 GiB
  story.Facts().balloon_deflate_pages = 0;
  const Step step = story.Play(Milliseconds(20), Flat(150 * kMiB));
  EXPECT_EQ(step.derived.balloon_bytes, 768 * kMiB);
  EXPECT_EQ(step.derived.level, Level::kQuiet) << "150 of 256 MiB is more than half";
}

// The counters of /proc/vmstat with so much in the balloon.
void SetBalloon(Story& story, int64_t bytes) {
  story.Facts().balloon_inflate_pages = 1'000'000 + std::max<int64_t>(bytes, 0) / 4096;
  story.Facts().balloon_deflate_pages = 1'000'000;
}

TEST(SamplerBalloon, AFillingBalloonIsNoConsumption) {
  Story story;
  SetBalloon(story, 0);
  story.Play(Seconds(2), Flat(900 * kMiB));
  const MonotonicTime start = story.Now();
  const auto taken = [&](Nanos t) { return 300 * kMiB / 1'000'000 * (t.count / 1'000); };  // 300 MiB/s
  const Step step = story.Play(Seconds(1), [&](Nanos) {
    SetBalloon(story, taken(story.Now() - start));
    return 900 * kMiB - taken(story.Now() - start);
  });
  EXPECT_NEAR(step.derived.consumption_bytes_per_second, 0, kMiB);
  EXPECT_FALSE(step.derived.time_to_exhaustion);
  EXPECT_LT(*story.Facts().available_bytes, 610 * kMiB);
}

TEST(SamplerBalloon, AnEmptyingBalloonHidesNoConsumption) {
  Story story;
  SetBalloon(story, 500 * kMiB);
  story.Play(Seconds(2), Flat(400 * kMiB));
  const MonotonicTime start = story.Now();
  const auto moved = [&](Nanos t) { return 200 * kMiB / 1'000'000 * (t.count / 1'000); };
  // It gives as fast as the guest eats: MemAvailable stands still.
  const Step step = story.Play(Seconds(1), [&](Nanos) {
    SetBalloon(story, 500 * kMiB - moved(story.Now() - start));
    return 400 * kMiB;
  });
  EXPECT_NEAR(step.derived.consumption_bytes_per_second, 200 * kMiB, 2 * kMiB);
}

// The first MiB a balloon gives rest in lists of the processors before they are counted as available.
TEST(SamplerBalloon, WhatTheBalloonGivesAndIsNotCountedYetIsNoConsumption) {
  Story story;
  SetBalloon(story, 300 * kMiB);
  story.Play(Seconds(2), Flat(100 * kMiB));
  const MonotonicTime start = story.Now();
  const auto given = [&] {
    return std::min<int64_t>(22 * kMiB, 2 * kGiB / 1'000'000 * ((story.Now() - start).count / 1'000));
  };
  story.Play(
      Milliseconds(80),
      [&](Nanos) {
        SetBalloon(story, 300 * kMiB - given());
        return 100 * kMiB;
      },
      [](const Step& step) {
        EXPECT_LT(step.derived.consumption_bytes_per_second, kMiB);
        EXPECT_FALSE(step.derived.time_to_exhaustion);
        return false;
      });
  // And when they are, that is no reason to forgive anything later.
  const Step burst = story.Play(Milliseconds(400), Falling(122 * kMiB, 100 * kMiB));
  EXPECT_NEAR(burst.derived.consumption_bytes_per_second, 100 * kMiB, 2 * kMiB);
}

TEST(SamplerBalloon, ALookWithoutTheCountersKeepsTheLastBalloon) {
  Story story;
  SetBalloon(story, 300 * kMiB);
  const Step before = story.Play(Seconds(2), Flat(600 * kMiB));
  story.Pass(before.next_sample_in);
  story.Facts().balloon_inflate_pages.reset();
  story.Facts().balloon_deflate_pages.reset();
  const Step step = story.Look();
  EXPECT_EQ(step.derived.consumption_bytes_per_second, 0);
  EXPECT_EQ(step.next_sample_in, before.next_sample_in)
      << "300 MiB less in the balloon would look like a burst";
}

}  // namespace
}  // namespace ballast::agent
