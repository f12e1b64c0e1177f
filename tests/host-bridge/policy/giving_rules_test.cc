// Rules 1 to 5: giving.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/host-bridge/policy/world.h"

namespace ballast::policy {
namespace {

constexpr int64_t kNothingSpare = 64 * kGiB / 10 + 8 * kMiB;  // of a 64 GiB host: 8 MiB above its reserve

TEST(CriticalRelease, GivesEverythingInOneCommand) {
  World world;
  world.With(Guest("web").Balloon(768 * kMiB).Target(700 * kMiB).Available(20 * kMiB));
  const auto decision = DecisionFor(world, world.Tick(), "web");
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->reason.rule, Rule::kCriticalRelease);
  EXPECT_EQ(decision->from.count, 700 * kMiB);
  EXPECT_EQ(decision->target.count, 0);
  EXPECT_TRUE(decision->act);
}

TEST(CriticalRelease, FiresOnTheSlopeAlone) {
  World world;
  world.With(Guest("web").Boot(4 * kGiB).Balloon(kGiB).Available(kGiB).Consumption(3 * kGiB));
  EXPECT_EQ(DecisionFor(world, world.Tick(), "web")->reason.rule, Rule::kCriticalRelease);
}

TEST(CriticalRelease, StopsAtTheCeiling) {
  World world;
  world.With(Guest("web").Balloon(768 * kMiB).Available(9 * kMiB).Floor(128 * kMiB).Ceiling(900 * kMiB));
  EXPECT_EQ(DecisionFor(world, world.Tick(), "web")->target.count, 124 * kMiB);
}

TEST(CriticalRelease, HasNothingToGiveToAGuestFromWhichNothingWasTaken) {
  World world;
  world.With(Guest("web").Available(10 * kMiB).Stall(9000));
  EXPECT_TRUE(world.Tick().decisions.empty());
  EXPECT_EQ(world.Of("web").history.state, GuestState::kCritical);
}

TEST(CriticalRelease, TakesBackAPendingInflation) {
  World world;
  world.With(Guest("web").Balloon(0).Target(256 * kMiB).Available(20 * kMiB));
  EXPECT_EQ(DecisionFor(world, world.Tick(), "web")->target.count, 0);
}

TEST(CriticalRelease, SendsAgainOnlyWhenTheBalloonDoesNotMove) {
  World world;
  world.With(Guest("web").Balloon(768 * kMiB).Available(20 * kMiB));
  EXPECT_EQ(world.Tick().decisions.size(), 1u);
  EXPECT_TRUE(world.Later(Milliseconds(900)).Tick().decisions.empty());
  const auto again = DecisionFor(world, world.Later(Milliseconds(200)).Tick(), "web");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->target.count, 0);
  for (int64_t left = 700; left > 0; left -= 100) {
    world.SetBalloon("web", left * kMiB);
    EXPECT_TRUE(world.Later(Milliseconds(900)).Tick().decisions.empty()) << left;
  }
}

TEST(CriticalRelease, GivesWhatTheHostCanSpare) {
  World world;
  world.Host(64 * kGiB, kNothingSpare);
  world.With(Guest("web").Balloon(768 * kMiB).Available(20 * kMiB));
  const auto decision = DecisionFor(world, world.Tick(), "web");
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->target.count, 760 * kMiB);
  EXPECT_TRUE(decision->reason.clamped);
}

TEST(CriticalRelease, GoesInFullWhenTheHostIsUnknownAndOthersWait) {
  World world;
  world.NoHost();
  world.With(Guest("dying").Balloon(768 * kMiB).Available(10 * kMiB));
  world.With(Guest("pressed").Balloon(512 * kMiB).Available(80 * kMiB));
  const Outcome outcome = world.Tick();
  EXPECT_EQ(DecisionFor(world, outcome, "dying")->target.count, 0);
  EXPECT_FALSE(DecisionFor(world, outcome, "pressed"));
}

TEST(Grants, TheHeavierAndMoreUrgentComeFirst) {
  World world;
  world.Host(64 * kGiB, 64 * kGiB / 10 + 600 * kMiB);
  world.With(Guest("a-pressed").Boot(4 * kGiB).Balloon(3 * kGiB).Available(150 * kMiB).Weight(9000));
  world.With(Guest("b-light").Balloon(500 * kMiB).Available(10 * kMiB));
  world.With(Guest("c-heavy").Balloon(500 * kMiB).Available(10 * kMiB).Weight(200));
  const Outcome outcome = world.Tick();
  EXPECT_EQ(DecisionFor(world, outcome, "c-heavy")->target.count, 0);
  EXPECT_EQ(DecisionFor(world, outcome, "b-light")->target.count, 400 * kMiB);
  EXPECT_FALSE(DecisionFor(world, outcome, "a-pressed"));
}

TEST(SilentGuest, LosesItsPendingShrinkOnceAndItsBalloonAfterTheLease) {
  World world;
  world.With(Guest("db").Balloon(300 * kMiB).Target(512 * kMiB).Available(500 * kMiB));
  EXPECT_TRUE(world.Tick().decisions.empty());
  Outcome outcome = world.LaterUnheard(Seconds(13)).Tick();
  auto decision = DecisionFor(world, outcome, "db");
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->reason.rule, Rule::kSilentGuest);
  EXPECT_EQ(decision->from.count, 512 * kMiB);
  EXPECT_EQ(decision->target.count, 300 * kMiB);
  outcome = world.LaterUnheard(Seconds(5)).Tick();
  EXPECT_EQ(HoldFor(world, outcome, "db"), Hold::Why::kStaleReport);
  EXPECT_TRUE(outcome.decisions.empty());
  decision = DecisionFor(world, world.LaterUnheard(Seconds(15)).Tick(), "db");
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->target.count, 0);
  EXPECT_GT(decision->reason.age, Seconds(30));
}

TEST(SilentGuest, GetsBackToItsBaselineNotMore) {
  World world;
  world.With(Guest("db").Balloon(700 * kMiB).Baseline(768 * kMiB).ReportAge(Seconds(31)));
  EXPECT_EQ(DecisionFor(world, world.Tick(), "db")->target.count, 256 * kMiB);
}

TEST(SilentGuest, NeverHeardIsLeftAlone) {
  World world;
  world.Host(64 * kGiB, 0).With(Guest("new").Balloon(512 * kMiB).NoReport());
  for (int i = 0; i < 100; ++i) {
    const Outcome outcome = world.Later(Seconds(1)).Tick();
    EXPECT_TRUE(outcome.decisions.empty());
    EXPECT_EQ(HoldFor(world, outcome, "new"), Hold::Why::kNoReport);
  }
}

TEST(BalloonShrank, TheTargetFollowsAndInflationIsBlockedLongerEachTime) {
  World world;
  world.With(Guest("ci").Balloon(512 * kMiB).Target(512 * kMiB).Available(300 * kMiB));
  EXPECT_TRUE(world.Tick().decisions.empty());
  world.SetBalloon("ci", 510 * kMiB);
  const auto decision = DecisionFor(world, world.Later(Milliseconds(100)).Tick(), "ci");
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->reason.rule, Rule::kBalloonShrankByItself);
  EXPECT_EQ(decision->target.count, 509 * kMiB);  // what is left and one unit on top
  EXPECT_EQ(world.Of("ci").history.inflate_blocked_until, world.now + Seconds(30));
  EXPECT_EQ(world.Of("ci").history.state, GuestState::kPressed);
  world.SetBalloon("ci", 500 * kMiB);
  ASSERT_TRUE(DecisionFor(world, world.Later(Milliseconds(100)).Tick(), "ci"));
  EXPECT_EQ(world.Of("ci").history.inflate_blocked_until, world.now + Seconds(60));
  world.SetBalloon("ci", 400 * kMiB);
  world.Later(Seconds(3600)).Tick();
  EXPECT_EQ(world.Of("ci").history.inflate_blocked_until, world.now + Seconds(30))
      << "short again after a quiet time";
}

TEST(BalloonShrank, AFallThatACommandExplainsIsNone) {
  World world;
  world.With(Guest("ci").Balloon(512 * kMiB).Target(100 * kMiB).Available(300 * kMiB));
  for (int64_t left = 500; left >= 100; left -= 50) {
    world.SetBalloon("ci", left * kMiB);
    EXPECT_TRUE(world.Later(Milliseconds(100)).Tick().decisions.empty());
  }
}

TEST(StalledBalloon, TheTargetComesBackToWhatWasReached) {
  World world;
  world.With(Guest("db").Balloon(100 * kMiB).Target(100 * kMiB).Available(600 * kMiB));
  world.Tick();
  world.Of("db").history.target = BalloonBytes{400 * kMiB};
  std::optional<Decision> decision;
  int seconds = 0;
  for (; !decision && seconds < 20; ++seconds)
    decision = DecisionFor(world, world.Later(Seconds(1)).Tick(), "db");
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->reason.rule, Rule::kStalledBalloon);
  EXPECT_EQ(decision->target.count, 100 * kMiB);
  EXPECT_NEAR(seconds, 6, 1);
  EXPECT_GT(world.Of("db").history.inflate_blocked_until, world.now);
}

TEST(StalledBalloon, ASteadyOneIsLeftAlone) {
  World world;
  world.With(Guest("db").Boot(4 * kGiB).Balloon(0).Target(2 * kGiB).Available(3 * kGiB));
  for (int64_t taken = 0; taken < 2048; taken += 20) {
    world.SetBalloon("db", taken * kMiB);
    EXPECT_TRUE(world.Later(Seconds(1)).Tick().decisions.empty()) << taken;
  }
}

TEST(PressedGrow, GrowsByWhatItIsShortOf) {
  World world;
  // 1 GiB seen, pressed below 204.8 MiB: short of 256 - 150 MiB, eats 20 MiB and reads back 10 MiB meanwhile.
  world.With(Guest("web")
                 .Boot(2 * kGiB)
                 .Balloon(kGiB)
                 .Available(150 * kMiB)
                 .Consumption(40 * kMiB)
                 .Refault(20 * kMiB));
  const auto decision = DecisionFor(world, world.Tick(), "web");
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->reason.rule, Rule::kPressedGrow);
  EXPECT_NEAR(decision->reason.wanted_bytes, 121 * kMiB + 15 * kMiB, 16 * kMiB);
  EXPECT_LE(decision->target.count, kGiB - decision->reason.wanted_bytes);
  EXPECT_GT(decision->target.count, kGiB - decision->reason.wanted_bytes - kMiB);
}

TEST(PressedGrow, DoesNotAskTwiceForTheSameShortage) {
  World world;
  world.With(Guest("web").Boot(2 * kGiB).Balloon(kGiB).Available(150 * kMiB));
  EXPECT_EQ(world.Tick().decisions.size(), 1u);
  world.SetBalloon("web", kGiB - 8 * kMiB);
  world.Report("web").available_bytes += 8 * kMiB;
  EXPECT_TRUE(world.Later(Milliseconds(10)).Tick().decisions.empty());
}

TEST(PressedGrow, StallsCountOnlyWhenLittleIsAvailable) {
  World world;
  world.With(Guest("short").Balloon(256 * kMiB).Available(300 * kMiB).Stall(2000));
  world.With(Guest("cgroup").Balloon(256 * kMiB).Available(600 * kMiB).Stall(9000));
  const Outcome outcome = world.Tick();
  EXPECT_EQ(DecisionFor(world, outcome, "short")->reason.rule, Rule::kPressedGrow);
  EXPECT_FALSE(DecisionFor(world, outcome, "cgroup"));
}

TEST(RestartedGuest, GetsASafeTargetBeforeAnythingElse) {
  World world;
  world.With(Guest("web").Balloon(768 * kMiB).Available(200 * kMiB));
  world.Of("web").rebooted = true;
  const auto decision = DecisionFor(world, world.Tick(), "web");
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->reason.rule, Rule::kRestartedGuest);
  EXPECT_EQ(decision->target.count, 0);
}

TEST(RestartedGuest, IsToldEvenWhenItsBalloonLooksEmpty) {
  World world;
  world.With(Guest("web").Balloon(0).Available(800 * kMiB)).NoHost();
  world.Of("web").rebooted = true;
  const auto decision = DecisionFor(world, world.Tick(), "web");
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->reason.rule, Rule::kRestartedGuest);
}

TEST(SilentGuest, OfAPausedGuestBeginsWhenItRunsAgain) {
  World world;
  world.With(Guest("web").Balloon(768 * kMiB).Available(200 * kMiB));
  ASSERT_TRUE(world.Tick().decisions.empty());
  world.Later(Seconds(100));
  world.Of("web").report->at = world.now - Seconds(100);
  world.Of("web").resumed_at = world.now - Seconds(20);
  EXPECT_TRUE(world.Tick().decisions.empty());
  world.Later(Seconds(15));
  world.Of("web").report->at = world.now - Seconds(115);
  EXPECT_EQ(DecisionFor(world, world.Tick(), "web")->target.count, 0);
}

}  // namespace
}  // namespace ballast::policy
