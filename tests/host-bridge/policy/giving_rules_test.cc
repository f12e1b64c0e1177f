// Rules 1 to 5: giving.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/host-bridge/policy/world.h"

namespace ballast::policy {
namespace {

constexpr int64_t kReserve = 64 * kGiB / 10;  // of a 64 GiB host

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
  world.Host(64 * kGiB, kReserve - kReserve / 2 + 8 * kMiB);
  world.With(Guest("web").Balloon(768 * kMiB).Available(20 * kMiB));
  const auto decision = DecisionFor(world, world.Tick(), "web");
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->target.count, 760 * kMiB);
  EXPECT_TRUE(decision->reason.clamped);
}

TEST(CriticalRelease, DrawsOnTheReserveOnlyForWhatTheGuestIsShortOf) {
  World world;
  // 5/4 of its pressed threshold, 6 % of 2 GiB, are 153.6 MiB, of which it has 20.
  const auto guest = Guest("g").Boot(4 * kGiB).Balloon(2 * kGiB).Available(20 * kMiB);
  world.Host(64 * kGiB, kReserve).With(guest);
  EXPECT_EQ(DecisionFor(world, world.Tick(), "g")->target.count, 2 * kGiB - 133 * kMiB);
  World promised;
  promised.Host(64 * kGiB, kReserve).With(Guest(guest).Target(2 * kGiB - 133 * kMiB));
  EXPECT_FALSE(DecisionFor(promised, promised.Tick(), "g")) << "that much is on its way";
  World forbidden;
  forbidden.config.critical_draw_permyriad = 0;
  forbidden.Host(64 * kGiB, kReserve + 8 * kMiB).With(guest);
  EXPECT_EQ(DecisionFor(forbidden, forbidden.Tick(), "g")->target.count, 2 * kGiB - 8 * kMiB);
}

TEST(CriticalRelease, DrawsOnTheReserveOnceAReport) {
  World world;
  world.Host(64 * kGiB, kReserve);
  world.With(Guest("g").Boot(4 * kGiB).Balloon(2 * kGiB).Available(20 * kMiB));
  EXPECT_TRUE(DecisionFor(world, world.Tick(), "g"));
  world.SetBalloon("g", 2 * kGiB - 133 * kMiB);  // it has arrived, and nothing was heard since
  EXPECT_FALSE(DecisionFor(world, world.LaterUnheard(Milliseconds(500)).Tick(), "g"));
}

TEST(CriticalRelease, TheReserveIsNotForComfort) {
  World world;
  // Healthy, with a little above its reserve; a fourth of what the guest uses would be 14 GiB.
  world.Host(640 * kGiB, 64 * kGiB + 100 * kMiB);
  world.With(Guest("g").Boot(64 * kGiB).Balloon(8 * kGiB).Available(100 * kMiB));
  const auto decision = DecisionFor(world, world.Tick(), "g");
  ASSERT_TRUE(decision);
  EXPECT_EQ(8 * kGiB - decision->target.count, 540 * kMiB) << "5/4 of the pressed threshold of 512 MiB";
}

TEST(Grants, LeaveTheHostItsReserveHalfOfItOrAMargin) {
  struct Case {
    const char* what;
    Guest guest;
    int64_t kept;
    bool rebooted = false;
  };
  const Guest taken = Guest("g").Boot(4 * kGiB).Balloon(2 * kGiB);
  const Case cases[] = {
      {"critical", Guest(taken).Available(20 * kMiB), kReserve - kReserve / 2},
      {"pressed", Guest(taken).Available(100 * kMiB), kReserve},
      {"silent: nothing can be taken back from it", Guest(taken).ReportAge(Seconds(31)),
       kReserve + kReserve / 4},
      {"restarted: it has not spoken yet", Guest(taken).NoReport(), kReserve, true},
  };
  for (const Case& c : cases) {
    for (const int64_t spare : {0, 1, 8, 20}) {
      World world;
      world.Host(64 * kGiB, c.kept + spare * kMiB).With(c.guest);
      world.Of("g").rebooted = c.rebooted;
      const auto decision = DecisionFor(world, world.Tick(), "g");
      EXPECT_EQ(decision ? 2 * kGiB - decision->target.count : 0, spare * kMiB) << c.what;
    }
  }
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
  world.With(Guest("a-pressed").Boot(4 * kGiB).Balloon(3 * kGiB).Available(50 * kMiB).Weight(9000));
  world.With(Guest("b-light").Balloon(500 * kMiB).Available(10 * kMiB));
  world.With(Guest("c-heavy").Balloon(500 * kMiB).Available(10 * kMiB).Weight(200));
  world.config.critical_draw_permyriad = 0;
  World tighter = world;
  // Enough for the pressed guest, were it the first.
  world.Host(64 * kGiB, kReserve + 1000 * kMiB);
  Outcome outcome = world.Tick();
  EXPECT_EQ(DecisionFor(world, outcome, "c-heavy")->target.count, 0);
  EXPECT_EQ(DecisionFor(world, outcome, "b-light")->target.count, 0);
  EXPECT_FALSE(DecisionFor(world, outcome, "a-pressed"));
  tighter.Host(64 * kGiB, kReserve + 600 * kMiB);
  outcome = tighter.Tick();
  EXPECT_EQ(DecisionFor(tighter, outcome, "c-heavy")->target.count, 0);
  EXPECT_EQ(DecisionFor(tighter, outcome, "b-light")->target.count, 400 * kMiB);
  EXPECT_FALSE(DecisionFor(tighter, outcome, "a-pressed"));
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

TEST(SilentGuest, AGrantThatDoesNotArriveIsSentAgainBeforeTheLease) {
  World world;
  world.With(Guest("db").Balloon(700 * kMiB).Available(20 * kMiB));
  ASSERT_EQ(DecisionFor(world, world.Tick(), "db")->target.count, 0);
  const auto decision = DecisionFor(world, world.LaterUnheard(Seconds(13)).Tick(), "db");
  ASSERT_TRUE(decision) << "its write may have died";
  EXPECT_EQ(decision->reason.rule, Rule::kSilentGuest);
  EXPECT_EQ(decision->target.count, 0);
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

TEST(StalledBalloon, OfAPausedGuestDoesNotStall) {
  World world;
  world.With(Guest("db").Boot(4 * kGiB).Balloon(100 * kMiB).Target(2 * kGiB).Available(3 * kGiB));
  world.Tick();
  world.Later(Seconds(60));  // paused all the time, running for three seconds
  world.Of("db").resumed_at = world.now - Seconds(3);
  EXPECT_TRUE(world.Tick().decisions.empty());
  EXPECT_TRUE(world.Later(Seconds(1)).Tick().decisions.empty());
  const auto decision = DecisionFor(world, world.Later(Seconds(2)).Tick(), "db");
  ASSERT_TRUE(decision) << "after five seconds of its own";
  EXPECT_EQ(decision->reason.rule, Rule::kStalledBalloon);
}

TEST(StalledBalloon, DoesNotShortenALongerBlock) {
  World world;
  world.With(Guest("db").Balloon(100 * kMiB).Target(100 * kMiB).Available(600 * kMiB));
  world.Tick();
  const MonotonicTime blocked = world.now + Seconds(12 * 3600);
  world.Of("db").history.inflate_blocked_until = blocked;
  world.Of("db").history.target = BalloonBytes{400 * kMiB};
  for (int second = 0; second < 10; ++second) world.Later(Seconds(1)).Tick();
  EXPECT_EQ(world.Of("db").history.inflate_blocked_until, blocked);
}

TEST(PressedGrow, GrowsByWhatItIsShortOf) {
  World world;
  world.Host(64 * kGiB, 32 * kGiB, 1000);  // under pressure: up to 5/4 of the threshold and no further
  // 1 GiB seen, pressed below 64 MiB: short of 80 - 50 MiB, which take 100 ms and 30/512 s to come; meanwhile
  // it eats 40 and reads back 20 MiB a second.
  world.With(Guest("web").Boot(2 * kGiB).Balloon(kGiB).Available(50 * kMiB).Consumption(40 * kMiB).Refault(
      20 * kMiB));
  const auto decision = DecisionFor(world, world.Tick(), "web");
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->reason.rule, Rule::kPressedGrow);
  EXPECT_NEAR(decision->reason.wanted_bytes, 30 * kMiB + 60 * kMiB * 158 / 1000, kMiB);
  EXPECT_LE(decision->target.count, kGiB - decision->reason.wanted_bytes);
  EXPECT_GT(decision->target.count, kGiB - decision->reason.wanted_bytes - kMiB);
}

TEST(PressedGrow, GetsAQuarterOfItsUseWhileTheHostIsHealthy) {
  // 8 GiB seen, pressed below 491.5 MiB.
  const auto wanted = [](int64_t available, int32_t host_stall) {
    World world;
    world.Host(64 * kGiB, 32 * kGiB, host_stall);
    world.With(Guest("web").Boot(10 * kGiB).Balloon(2 * kGiB).Available(available));
    const auto decision = DecisionFor(world, world.Tick(), "web");
    return decision ? decision->reason.wanted_bytes : 0;
  };
  const int64_t available = 400 * kMiB;
  EXPECT_EQ(wanted(available, 0), (8 * kGiB - available) / 4 - available);
  EXPECT_NEAR(wanted(available, 1000), 8 * kGiB * 75 / 1000 - available, 16) << "5/4 of the threshold";
  EXPECT_EQ(wanted(500 * kMiB, 0), 0) << "not short, however much it uses";
}

TEST(PressedGrow, AnswersOneReportOnce) {
  World world;
  world.With(Guest("web").Boot(4 * kGiB).Balloon(2 * kGiB).Available(100 * kMiB));
  const auto first = DecisionFor(world, world.Tick(), "web");
  ASSERT_TRUE(first);
  EXPECT_EQ(world.Of("web").history.grown_on, Maybe(world.Of("web").report->at));
  // The balloon gives; what the guest said before that says nothing of the shortage that is left.
  world.SetBalloon("web", first->target.count);
  EXPECT_TRUE(world.LaterUnheard(Milliseconds(500)).Tick().decisions.empty());
  // The same number in a new report is a new shortage.
  world.Of("web").report->at = world.now;
  const auto second = DecisionFor(world, world.Tick(), "web");
  ASSERT_TRUE(second);
  EXPECT_LT(second->target, first->target);
}

TEST(PressedGrow, AClampedGrantDoesNotAnswerTheReport) {
  World world;
  world.Host(64 * kGiB, kReserve + 8 * kMiB);
  world.With(Guest("web").Boot(4 * kGiB).Balloon(2 * kGiB).Available(100 * kMiB));
  ASSERT_EQ(DecisionFor(world, world.Tick(), "web")->target.count, 2 * kGiB - 8 * kMiB);
  EXPECT_FALSE(world.Of("web").history.grown_on);
  world.Host(64 * kGiB, 32 * kGiB);
  const auto rest = DecisionFor(world, world.LaterUnheard(Milliseconds(500)).Tick(), "web");
  ASSERT_TRUE(rest) << "the host has more by now";
  EXPECT_LT(rest->target.count, 2 * kGiB - 100 * kMiB);
}

TEST(PressedGrow, AnAnsweredReportsGrantIsSentAgainWhenItIsStuck) {
  World world;
  world.With(Guest("web").Boot(4 * kGiB).Balloon(2 * kGiB).Available(100 * kMiB));
  const auto first = DecisionFor(world, world.Tick(), "web");
  ASSERT_TRUE(first);
  EXPECT_TRUE(world.LaterUnheard(Milliseconds(900)).Tick().decisions.empty());
  const auto again = DecisionFor(world, world.LaterUnheard(Milliseconds(200)).Tick(), "web");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->target, first->target);
}

TEST(PressedGrow, DoesNotAskTwiceForTheSameShortage) {
  World world;
  world.With(Guest("web").Boot(2 * kGiB).Balloon(kGiB).Available(50 * kMiB));
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

TEST(RestartedGuest, OnlyObservedIsOwedNothingAndGoesOnBeingObserved) {
  World world;
  world.With(Guest("web").Balloon(512 * kMiB).Available(9 * kMiB).In(Mode::kObserve));
  world.Of("web").rebooted = true;  // and stays so: nothing is commanded that would end it
  const auto decision = DecisionFor(world, world.Tick(), "web");
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->reason.rule, Rule::kCriticalRelease);
  EXPECT_FALSE(decision->act);
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
