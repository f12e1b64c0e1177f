#include "host-bridge/observe/clock_offset.h"

#include <gtest/gtest.h>

namespace ballast::observe {
namespace {

// The host has been up for 1,000 s when a test begins, so that the guest's clock may lag without being
// negative.
MonotonicTime At(Nanos since_start) { return MonotonicTime{Seconds(1000).count} + since_start; }

// A probe of a guest whose clock is `offset` behind the host's; `there` and `back` are the ways.
ClockProbe Probe(Nanos sent, Nanos there, Nanos back, Nanos offset) {
  return {At(sent), (At(sent + there) - offset).ns, At(sent + there + back)};
}

TEST(ClockOffset, IsUnknownBeforeTheFirstProbe) { EXPECT_EQ(OffsetAt({}, At(Seconds(1))), std::nullopt); }

TEST(ClockOffset, OneRoundTripKnowsItToHalfItsDuration) {
  const auto estimate = Improve({}, Probe(Seconds(100), Milliseconds(3), Milliseconds(1), Seconds(40)));
  const auto offset = OffsetAt(estimate, estimate.at);
  ASSERT_TRUE(offset);
  EXPECT_EQ(offset->offset, Seconds(40) - Milliseconds(1));  // the uneven ways show as an error of 1 ms ...
  EXPECT_EQ(offset->error, Milliseconds(2) + Nanos{1});      // ... which the bound covers
}

TEST(ClockOffset, TheShortestRoundTripStands) {
  auto estimate = Improve({}, Probe(Seconds(1), Milliseconds(1), Milliseconds(1), Seconds(9)));
  const auto tight = Improve(estimate, Probe(Seconds(2), Microseconds(100), Microseconds(100), Seconds(9)));
  EXPECT_EQ(tight.best->offset, Seconds(9));
  const auto after_slow_one =
      Improve(tight, Probe(Seconds(3), Milliseconds(50), Milliseconds(1), Seconds(9)));
  EXPECT_EQ(after_slow_one, tight);
}

TEST(ClockOffset, AnOldMinimumGrowsWorseAndGivesWay) {
  const auto old = Improve({}, Probe(Seconds(1), Microseconds(100), Microseconds(100), Seconds(9)));
  const Nanos error = OffsetAt(old, old.at + Seconds(100))->error;
  EXPECT_EQ(error, Milliseconds(20) + Microseconds(100) + Nanos{1});  // 200 ppm of 100 s
  const auto fresh = Improve(old, Probe(Seconds(101), Milliseconds(10), Milliseconds(10), Seconds(9)));
  EXPECT_EQ(fresh.at, At(Seconds(101) + Milliseconds(20)));
}

TEST(ClockOffset, ASteppedGuestClockIsBelievedAtOnce) {
  const auto old = Improve({}, Probe(Seconds(1), Microseconds(100), Microseconds(100), Seconds(9)));
  // The guest was paused for a minute: its clock stood still.
  const auto paused = Improve(old, Probe(Seconds(62), Milliseconds(20), Milliseconds(20), Seconds(69)));
  EXPECT_EQ(paused.best->offset, Seconds(69));
}

TEST(ClockOffset, ImpossibleProbesChangeNothing) {
  const auto good = Improve({}, Probe(Seconds(1), Milliseconds(1), Milliseconds(1), Seconds(1)));
  const ClockProbe impossible[] = {
      {At(Seconds(5)), 0, At(Seconds(4))},          // answered before asked
      {At(Seconds(5)), 0, At(Seconds(16))},         // too slow to mean anything
      {At(Seconds(5)), -1, At(Seconds(5))},         // 2^64-1 ns
      {At(Seconds(5)), INT64_MIN, At(Seconds(5))},  // 2^63 ns
      {At(Seconds(5)), INT64_MAX, At(Seconds(5))},
  };
  for (const ClockProbe& probe : impossible) {
    EXPECT_EQ(Improve(good, probe), good);
    EXPECT_EQ(Improve({}, probe), ClockEstimate{});
  }
}

TEST(ClockOffset, TheTruthIsAlwaysWithinTheBound) {
  // Ways that vary from probe to probe, and a guest clock that gains 100 ppm.
  ClockEstimate estimate;
  for (int64_t i = 1; i <= 2000; ++i) {
    const Nanos now = Milliseconds(i * 500);
    const Nanos truth = Seconds(7) - Microseconds(i * 50);
    const Nanos there = Microseconds(80 + i * 7919 % 5000);
    const Nanos back = Microseconds(80 + i * 104'729 % 5000);
    estimate = Improve(estimate, Probe(now, there, back, truth));
    const auto known = OffsetAt(estimate, At(now + there + back));
    const Nanos wrong = known->offset > truth ? known->offset - truth : truth - known->offset;
    ASSERT_LE(wrong, known->error + Microseconds(1)) << "probe " << i;
  }
}

}  // namespace
}  // namespace ballast::observe
