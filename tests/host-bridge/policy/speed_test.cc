// How fast a balloon is: what is learned, and what follows from it; and the other early signs of need, pages
// read back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/host-bridge/policy/world.h"

namespace ballast::policy {
namespace {

Guest Comfortable() {
  return Guest("g").Boot(8 * kGiB).Balloon(4 * kGiB).Target(4 * kGiB).Available(2 * kGiB);
}

// The balloon moves to `actual` within `span`, and the bridge looks.
const GuestHistory& Look(World& world, Nanos span, int64_t actual) {
  world.Later(span).SetBalloon("g", actual);
  world.Tick();
  return world.Of("g").history;
}

// A balloon that was just seen on its way from somewhere to `target`.
World Moving(int64_t actual, int64_t target) {
  World world;
  world.With(Comfortable().Balloon(actual).Target(target));
  world.Of("g").history.last_actual = BalloonBytes{actual + (actual < target ? -kMiB : kMiB)};
  world.Of("g").history.progress_since = world.now;
  world.Tick();
  EXPECT_TRUE(world.Of("g").history.last_actual_at);
  return world;
}

TEST(Speed, IsLearnedWhileTheBalloonGives) {
  World world = Moving(4 * kGiB, 2 * kGiB);
  const GuestHistory& history = Look(world, Seconds(1), 4 * kGiB - 100 * kMiB);
  EXPECT_EQ(history.give_bytes_per_second, 100 * kMiB);
  EXPECT_EQ(history.take_bytes_per_second, 0);
}

TEST(Speed, IsLearnedWhileTheBalloonTakes) {
  World world = Moving(kGiB, 3 * kGiB);
  const GuestHistory& history = Look(world, Seconds(2), kGiB + 300 * kMiB);
  EXPECT_EQ(history.take_bytes_per_second, 150 * kMiB);
  EXPECT_EQ(history.give_bytes_per_second, 0);
}

TEST(Speed, IsAveragedOverFour) {
  World world = Moving(4 * kGiB, kGiB);
  world.Of("g").history.give_bytes_per_second = 400 * kMiB;
  EXPECT_EQ(Look(world, Seconds(1), 4 * kGiB - 80 * kMiB).give_bytes_per_second, 320 * kMiB);
  EXPECT_EQ(Look(world, Seconds(1), 4 * kGiB - 160 * kMiB).give_bytes_per_second, 260 * kMiB);
}

TEST(Speed, SaysNothingOfABalloonThatWasNotOnItsWay) {
  struct Case {
    const char* what;
    int64_t from, target, to;
    Nanos span;
  };
  const Case cases[] = {
      {"arrived in between", 2 * kGiB, kGiB, kGiB, Seconds(1)},
      {"filled in between", kGiB, 2 * kGiB, 2 * kGiB, Seconds(1)},
      {"went the other way", 2 * kGiB, 3 * kGiB, kGiB, Seconds(1)},
      {"hardly moved", 2 * kGiB, kGiB, 2 * kGiB - 4 * kMiB + 1, Seconds(1)},
      {"too soon to tell", 2 * kGiB, kGiB, 2 * kGiB - 100 * kMiB, Milliseconds(9)},
      {"a clock that went back", 2 * kGiB, kGiB, 2 * kGiB - 100 * kMiB, Milliseconds(-500)},
  };
  for (const Case& c : cases) {
    World world = Moving(c.from, c.target);
    const GuestHistory& history = Look(world, c.span, c.to);
    EXPECT_EQ(history.give_bytes_per_second, 0) << c.what;
    EXPECT_EQ(history.take_bytes_per_second, 0) << c.what;
  }
}

// At rest until a command is given `rest` after the VMM was last read; then 50 MiB in half a second, twice.
World GivesAfter(Nanos rest, int64_t standing) {
  World world;
  world.With(Comfortable().Balloon(4 * kGiB).Target(standing));
  world.Tick();
  world.now = world.now + rest;
  world.Report("g").available_bytes = 100 * kMiB;
  world.Report("g").consumption_bytes_per_second = 0;
  world.Of("g").report->at = world.now;
  world.snapshot.host->at = world.now;
  EXPECT_EQ(world.Tick().decisions.size(), 1u);
  for (const int64_t given : {50, 100}) {
    world.now = world.now + Milliseconds(500);
    world.SetBalloon("g", 4 * kGiB - given * kMiB);
    world.Of("g").vmm->at = world.now;
    world.Tick();
  }
  return world;
}

TEST(Speed, TheRestBeforeTheCommandIsNoPartOfIt) {
  World after_rest = GivesAfter(Seconds(4), 4 * kGiB);
  EXPECT_EQ(after_rest.Of("g").history.give_bytes_per_second, 100 * kMiB);
  World a_page_short = GivesAfter(Seconds(4), 4 * kGiB + 4 * kKiB);
  EXPECT_EQ(a_page_short.Of("g").history.give_bytes_per_second, 100 * kMiB);
}

TEST(Speed, TheSameReadingTwiceIsNoStandstill) {
  World world = Moving(4 * kGiB, kGiB);
  const MonotonicTime read_at = world.Of("g").vmm->at;
  world.Later(Milliseconds(500));
  world.Of("g").vmm->at = read_at;
  world.Tick();
  EXPECT_EQ(world.Of("g").history.last_actual_at, read_at);
  world.Of("g").vmm->at = read_at + Milliseconds(500);
  EXPECT_EQ(Look(world, Milliseconds(500), 4 * kGiB - 100 * kMiB).give_bytes_per_second, 100 * kMiB);
}

TEST(Speed, SurvivesHostileNumbers) {
  for (const int64_t spoiled :
       {INT64_MIN, int64_t{-1}, int64_t{0}, int64_t{1}, int64_t{1} << 50, INT64_MAX}) {
    World world = Moving(4 * kGiB, kGiB);
    world.Of("g").history.give_bytes_per_second = spoiled;
    world.Of("g").history.take_bytes_per_second = spoiled;
    world.Report("g").available_bytes = 100 * kMiB;
    world.Report("g").consumption_bytes_per_second = int64_t{1} << 50;
    const GuestHistory& history = Look(world, Seconds(1), 4 * kGiB - 100 * kMiB);
    EXPECT_GT(history.give_bytes_per_second, 0) << spoiled;
    EXPECT_LE(history.give_bytes_per_second, int64_t{1} << 50) << spoiled;
    EXPECT_EQ(history.state, GuestState::kCritical) << spoiled;
  }
  World world = Moving(kGiB, 3 * kGiB);
  world.Of("g").history.last_actual = BalloonBytes{INT64_MIN};
  world.Of("g").history.last_actual_at = MonotonicTime{INT64_MIN + 1};
  EXPECT_LE(Look(world, Seconds(1), kGiB).take_bytes_per_second, int64_t{1} << 50);
}

// The state of a guest with 600 MiB available whose balloon gives at `give` (0: not yet seen).
GuestState StateAt(int64_t give, int64_t consumption, int64_t available = 600 * kMiB) {
  World world;
  world.With(Comfortable().Available(available).Consumption(consumption));
  world.Of("g").history.give_bytes_per_second = give;
  world.Tick();
  return world.Of("g").history.state;
}

TEST(Horizon, GrowsWhereTheBalloonIsSlow) {
  // 100 MiB/s leave 6 s.
  EXPECT_EQ(StateAt(2 * kGiB, 100 * kMiB), GuestState::kComfortable);
  EXPECT_EQ(StateAt(100 * kMiB, 100 * kMiB), GuestState::kComfortable) << "horizon 1 s";
  EXPECT_EQ(StateAt(20 * kMiB, 200 * kMiB), GuestState::kCritical) << "3 s left, horizon 4 s";
  EXPECT_EQ(StateAt(50 * kMiB, 200 * kMiB), GuestState::kCritical) << "3 s left, horizon 4 s";
  EXPECT_EQ(StateAt(80 * kMiB, 200 * kMiB), GuestState::kComfortable) << "3 s left, horizon 2.5 s";
}

TEST(Horizon, IsAtMostEightTimesAsLong) {
  EXPECT_EQ(StateAt(1, 200 * kMiB, 801 * kMiB), GuestState::kComfortable);
  EXPECT_EQ(StateAt(1, 200 * kMiB, 800 * kMiB), GuestState::kCritical);
}

TEST(Horizon, AnUnseenBalloonCountsAsTheAssumedOne) {
  EXPECT_EQ(StateAt(0, 400 * kMiB, 601 * kMiB), GuestState::kComfortable);
  EXPECT_EQ(StateAt(0, kGiB, 2 * kGiB), GuestState::kCritical) << "gives half as fast: horizon 2 s";
  EXPECT_EQ(StateAt(2 * kGiB, kGiB, 2 * kGiB), GuestState::kComfortable);
}

TEST(PressedGrow, ASlowBalloonIsAskedForMore) {
  const auto wanted = [](int64_t give) {
    World world;
    world.Host(64 * kGiB, 32 * kGiB, 1000);  // under pressure: nothing is given beyond what is needed
    world.With(Guest("g").Boot(4 * kGiB).Balloon(2 * kGiB).Available(100 * kMiB).Consumption(10 * kMiB));
    world.Of("g").history.give_bytes_per_second = give;
    const auto decision = DecisionFor(world, world.Tick(), "g");
    return decision ? decision->reason.wanted_bytes : 0;
  };
  // Short of 5/4 of 6 % of 2 GiB less 100 MiB, so of 53.6 MiB; meanwhile it eats 10 MiB/s.
  EXPECT_NEAR(wanted(2 * kGiB), 53.6 * kMiB + 10 * kMiB * 0.126, kMiB);
  EXPECT_NEAR(wanted(20 * kMiB), 53.6 * kMiB + 10 * kMiB * 2.78, kMiB);
  EXPECT_NEAR(wanted(1), 53.6 * kMiB + 10 * kMiB * 10, kMiB) << "ten seconds of eating at most";
}

GuestState Thrashing(int64_t balloon, int64_t refault) {
  World world;
  world.With(Guest("g").Boot(2 * kGiB).Balloon(balloon).Available(700 * kMiB).Refault(refault));
  world.Tick();
  return world.Of("g").history.state;
}

TEST(Refaults, PressOnlyWhileTheBalloonHoldsSomething) {
  EXPECT_EQ(Thrashing(kGiB, 10 * kMiB), GuestState::kPressed);
  EXPECT_EQ(Thrashing(kGiB, 10 * kMiB - 1), GuestState::kComfortable);
  EXPECT_EQ(Thrashing(0, kGiB), GuestState::kComfortable);
}

TEST(Refaults, NotForWhatTheCeilingKeepsTaken) {
  World world;
  world.With(Guest("g").Boot(2 * kGiB).Balloon(kGiB).Floor(0).Baseline(kGiB).Ceiling(kGiB).Refault(kGiB));
  EXPECT_TRUE(world.Tick().decisions.empty());
  EXPECT_NE(world.Of("g").history.state, GuestState::kPressed);
}

TEST(Refaults, MakeTheGuestGrowByWhatItReadsBack) {
  World world;
  world.With(Guest("g").Boot(2 * kGiB).Balloon(kGiB).Available(700 * kMiB).Refault(50 * kMiB));
  const auto decision = DecisionFor(world, world.Tick(), "g");
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->reason.rule, Rule::kPressedGrow);
  EXPECT_EQ(decision->reason.wanted_bytes, 5 * kMiB) << "of the 100 ms that a command takes";
}

TEST(Staying, APressedGuestStaysSoUpToTheMargin) {
  World world;
  world.With(Guest("g").Available(60 * kMiB));
  world.Tick();
  ASSERT_EQ(world.Of("g").history.state, GuestState::kPressed);
  world.Report("g").available_bytes = 80 * kMiB - 1;  // the margin of 64
  for (int second = 0; second < 20; ++second) world.Later(Seconds(1)).Tick();
  EXPECT_EQ(world.Of("g").history.state, GuestState::kPressed);
  world.Report("g").available_bytes = 80 * kMiB;
  for (int second = 0; second < 7; ++second) world.Later(Seconds(1)).Tick();
  EXPECT_EQ(world.Of("g").history.state, GuestState::kComfortable);
}

}  // namespace
}  // namespace ballast::policy
