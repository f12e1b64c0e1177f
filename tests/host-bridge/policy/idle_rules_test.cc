// Rule 8: what a guest has not used for a while is taken in small steps, and a step that hurts is undone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/host-bridge/policy/world.h"

namespace ballast::policy {
namespace {

// 8 GiB of which 2 are in use and 6 free: the reserve is 5/4 of the pressed threshold (6 %), so 614.4 MiB,
// more than a quarter of what is in use; a step is at most 5 % of the size, and no more than is free.
Guest Lazy() { return Guest("lazy").Boot(8 * kGiB).Available(6 * kGiB).Free(6 * kGiB); }
constexpr int64_t kFirstStep = 409 * kMiB;

// A world in which the first step was taken and obeyed a moment ago.
World AfterOneStep() {
  World world;
  world.With(Lazy());
  const auto events = world.Live(61);
  EXPECT_EQ(events.size(), 1u);
  EXPECT_EQ(world.Of("lazy").history.idle_step.count, kFirstStep);
  return world;
}

TEST(IdleTaking, NeedsAMinuteOfCalm) {
  World world;
  world.With(Lazy());
  const MonotonicTime start = world.now;
  const auto events = world.Live(61);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].at, start + Seconds(60));
  EXPECT_EQ(events[0].decision.reason.rule, Rule::kIdleGuest);
  EXPECT_EQ(events[0].decision.from.count, 0);
  EXPECT_EQ(events[0].decision.target.count, kFirstStep) << "5 % of the size, in whole MiB";
}

TEST(IdleTaking, ExplainsItself) {
  World world;
  world.With(Lazy());
  const auto events = world.Live(61);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(
      Explain(events[0].decision, "lazy"),
      "lazy: takes 409MiB, balloon 0B -> 409MiB, because the guest has not used it lately (6GiB available) "
      "[rule 8]");
}

TEST(IdleTaking, ATroubledMomentBeginsTheMinuteAnew) {
  World world;
  world.With(Lazy());
  EXPECT_TRUE(world.Live(50).empty());
  // Critical for one look, by its speed alone: a peak of use would be left to it for minutes in any case.
  world.Report("lazy").consumption_bytes_per_second = 15 * kGiB;
  const MonotonicTime troubled = world.now;
  EXPECT_TRUE(world.Live(1).empty());
  world.Report("lazy").consumption_bytes_per_second = 0;
  const auto events = world.Live(120);
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events[0].at, troubled + Seconds(66)) << "the dwell of 5 s, and a minute";
  EXPECT_EQ(events[0].decision.reason.rule, Rule::kIdleGuest);
}

TEST(IdleTaking, StepsAreFifteenSecondsApartAndEndWithTheReserve) {
  World world;
  world.With(Lazy().Floor(128 * kMiB));
  const auto events = world.Live(1200);
  ASSERT_GT(events.size(), 5u);
  for (size_t i = 1; i < events.size(); ++i) {
    EXPECT_GE(events[i].at - events[i - 1].at, Seconds(15)) << i;
    EXPECT_GT(events[i].decision.target, events[i - 1].decision.target) << i;
  }
  // The 2 GiB in use, a quarter of them (by then more than 7.5 % of what is left), and less than two dead
  // bands.
  const int64_t size = 8 * kGiB - world.Of("lazy").vmm->value.balloon_actual.count;
  const int64_t kept = 2 * kGiB + 512 * kMiB;
  EXPECT_GE(size, kept);
  EXPECT_LT(size, kept + 2 * world.config.dead_band_bytes + 2 * kMiB);
}

TEST(IdleTaking, TakesHalfOfTheSlackAtMost) {
  World world;
  world.config.max_step_bytes = 16 * kGiB;
  world.With(Lazy());
  const auto events = world.Live(61);
  ASSERT_EQ(events.size(), 1u);
  const int64_t slack = 6 * kGiB - 8 * kGiB * 75 / 1000;
  EXPECT_EQ(events[0].decision.target.count, slack / 2 / kMiB * kMiB);
}

TEST(IdleTaking, StopsAtTheFloor) {
  World world;
  world.With(Lazy().Floor(6 * kGiB));
  world.Live(600);
  const int64_t balloon = world.Of("lazy").vmm->value.balloon_actual.count;
  EXPECT_LE(balloon, 2 * kGiB);
  EXPECT_GT(balloon, 2 * kGiB - 2 * world.config.dead_band_bytes - 2 * kMiB);
}

TEST(IdleTaking, LessThanTheDeadBandIsLeft) {
  for (const auto& [slack, steps] : {std::pair<int64_t, size_t>{32, 1}, {31, 0}}) {
    World world;
    world.With(Lazy().Floor(8 * kGiB - slack * kMiB));
    EXPECT_EQ(world.Live(61).size(), steps) << slack;
  }
}

TEST(IdleTaking, LeavesTheWorkingSetOfTheLastMinutes) {
  World world;
  world.With(Lazy().Available(2 * kGiB));  // uses 6 GiB
  world.Live(30);
  world.Report("lazy").available_bytes = 7 * kGiB;
  world.Live(559);
  const int64_t soon = 8 * kGiB - world.Of("lazy").vmm->value.balloon_actual.count;
  EXPECT_LT(soon, 8 * kGiB);
  EXPECT_GE(soon, 7 * kGiB + 512 * kMiB) << "6 GiB and a quarter of them";
  world.Live(600);
  const int64_t later = 8 * kGiB - world.Of("lazy").vmm->value.balloon_actual.count;
  EXPECT_LT(later, 3 * kGiB) << "forgotten after two windows of 5 min";
}

TEST(IdleTaking, PageCacheIsOnlyFeltFor) {
  // Of the free pages the reserve of 614.4 MiB stays: the kernel keeps some free at any price. What is beyond
  // goes at once, up to the step; where that is less than 64 MiB, so much is taken even of page cache.
  for (const auto& [free, step] : {std::pair<int64_t, int64_t>{0, 64}, {670, 64}, {714, 99}, {6144, 409}}) {
    World world;
    world.With(Lazy().Free(free * kMiB));
    const auto events = world.Live(61);
    ASSERT_EQ(events.size(), 1u) << free;
    EXPECT_EQ(events[0].decision.target.count, step * kMiB) << free;
  }
}

TEST(IdleTaking, LeavesAQuarterOfTheWorkingSet) {
  // 4 of 8 GiB are in use: 1 GiB is left beyond them, 3 may go, half of that in one step.
  World world;
  world.config.max_step_bytes = 16 * kGiB;
  world.With(Lazy().Available(4 * kGiB).Free(4 * kGiB));
  const auto events = world.Live(61);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].decision.target.count, 3 * kGiB / 2);
}

TEST(WorkingSet, CountsPeaksOnlyWhileTheBalloonRests) {
  World world;
  world.With(
      Lazy().Balloon(kGiB).Target(2 * kGiB).Total(6 * kGiB).Available(2 * kGiB));  // 4 GiB in use, it seems
  const auto peak = [&](int64_t balloon) {
    world.SetBalloon("lazy", balloon);
    world.Later(Seconds(1)).Tick();
    return world.Of("lazy").history.recent_peak_bytes;
  };
  EXPECT_EQ(peak(kGiB), 0) << "the first look has nothing to compare with";
  EXPECT_EQ(peak(kGiB), 0) << "not where it is wanted";
  EXPECT_EQ(peak(kGiB + 512 * kMiB), 0) << "on its way";
  EXPECT_EQ(peak(2 * kGiB), 0) << "it has moved since the last look";
  EXPECT_EQ(peak(2 * kGiB), 4 * kGiB) << "at rest";
  world.Report("lazy").available_bytes = 3 * kGiB;
  EXPECT_EQ(peak(2 * kGiB), 4 * kGiB) << "remembered";
}

TEST(WorkingSet, IsNeverLessThanWhatIsInUseNow) {
  World world;
  world.With(Lazy());
  world.Live(60);
  // Moved by less than a unit just before the step: no peak is counted, and yet a quarter of the present use
  // is left.
  world.Report("lazy").available_bytes = kGiB;
  world.SetBalloon("lazy", kMiB / 2);
  EXPECT_TRUE(world.Tick().decisions.empty());
  EXPECT_EQ(world.Of("lazy").history.recent_peak_bytes, 2 * kGiB);
}

TEST(IdleTaking, ASufferingGuestIsLeftAlone) {
  struct Case {
    const char* what;
    int32_t stall;
    int64_t refault;
    size_t steps;
  };
  const Case cases[] = {{"0.1 % of stalls", 10, 0, 0},
                        {"a little less", 9, 0, 1},
                        {"1 MiB/s read back", 0, kMiB, 0},
                        {"a little less", 0, kMiB - 1, 1}};
  for (const Case& c : cases) {
    World world;
    world.With(Lazy().Stall(c.stall).Refault(c.refault));
    EXPECT_EQ(world.Live(61).size(), c.steps) << c.what << " " << c.stall << " " << c.refault;
  }
}

TEST(IdleTaking, OnlyFullModeGives) {
  World world;
  world.With(Lazy().In(Mode::kGuard)).With(Guest("off").Boot(8 * kGiB).Available(6 * kGiB).In(Mode::kOff));
  EXPECT_TRUE(world.Live(300).empty());
}

TEST(IdleTaking, ObserveShowsTheStepOnce) {
  World world;
  world.With(Lazy().In(Mode::kObserve));
  const auto events = world.Live(300);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_FALSE(events[0].decision.act);
  EXPECT_FALSE(world.Of("lazy").history.idle_step_at) << "nothing was taken, so nothing is to be judged";
  EXPECT_THAT(Explain(events[0].decision, "lazy"), ::testing::HasSubstr("would act: takes 409MiB"));
}

TEST(IdleTaking, NotWhileTheHostIsUnknownNorOnAnOldReport) {
  World blind;
  blind.With(Lazy()).NoHost();
  EXPECT_TRUE(blind.Live(120).empty());
  World deaf;
  deaf.With(Lazy());
  deaf.Tick();
  for (int second = 0; second < 25; ++second)
    EXPECT_TRUE(deaf.LaterUnheard(Seconds(1)).Tick().decisions.empty());
  deaf.Of("lazy").report->at = deaf.now;
  EXPECT_TRUE(deaf.Live(60).empty()) << "silence is no calm";
  EXPECT_EQ(deaf.Live(1).size(), 1u);
}

TEST(IdleTaking, WaitsForTheBalloonToArrive) {
  World world = AfterOneStep();
  world.SetBalloon("lazy", 300 * kMiB);
  for (int second = 0; second < 30; ++second) {
    // Fast enough not to be a stalled one.
    world.SetBalloon("lazy", (300 + second * 3) * kMiB);
    for (const Decision& decision : world.Later(Seconds(1)).Tick().decisions) {
      EXPECT_NE(decision.reason.rule, Rule::kIdleGuest) << second;
    }
  }
}

TEST(IdleUndo, GivesExactlyThatStepBack) {
  World world;
  world.With(Lazy());
  world.Live(80);  // two steps: after 60 s and 75 s
  const BalloonBytes last = world.Of("lazy").history.idle_step;
  const int64_t standing = world.Of("lazy").vmm->value.balloon_actual.count;
  ASSERT_GT(standing, last.count);
  world.Report("lazy").refault_bytes_per_second = kMiB;
  const auto undo = DecisionFor(world, world.Tick(), "lazy");
  ASSERT_TRUE(undo);
  EXPECT_EQ(undo->reason.rule, Rule::kIdleGuest);
  EXPECT_EQ(undo->from.count, standing);
  EXPECT_EQ(undo->target.count, standing - last.count);
  EXPECT_EQ(world.Of("lazy").history.missed_at, Maybe(world.now)) << "it read pages back";
  EXPECT_TRUE(world.Later(Seconds(1)).Tick().decisions.empty()) << "once";
}

TEST(IdleUndo, IsOwedUntilTheHostCanPayIt) {
  World world = AfterOneStep();
  const int64_t step = world.Of("lazy").history.idle_step.count;
  world.Host(64 * kGiB, 64 * kGiB / 10);  // nothing above its reserve
  world.Report("lazy").stall_permyriad = 10;
  EXPECT_FALSE(DecisionFor(world, world.Tick(), "lazy"));
  world.Report("lazy").stall_permyriad = 0;
  EXPECT_FALSE(DecisionFor(world, world.Later(Seconds(1)).Tick(), "lazy"));
  world.Host(64 * kGiB, 32 * kGiB);
  const auto undo = DecisionFor(world, world.Later(Seconds(1)).Tick(), "lazy");
  ASSERT_TRUE(undo);
  EXPECT_EQ(undo->reason.rule, Rule::kIdleGuest);
  EXPECT_EQ(undo->target.count, 0);
  EXPECT_EQ(undo->reason.wanted_bytes, step);
  EXPECT_TRUE(world.Later(Seconds(1)).Tick().decisions.empty()) << "once";
}

TEST(IdleUndo, OfAStepHalfDoneGoesBackToWhereItBegan) {
  World world = AfterOneStep();
  world.SetBalloon("lazy", 100 * kMiB);
  world.Report("lazy").stall_permyriad = 10;
  const auto undo = DecisionFor(world, world.Tick(), "lazy");
  ASSERT_TRUE(undo);
  EXPECT_EQ(undo->from.count, 100 * kMiB);
  EXPECT_EQ(undo->target.count, 0);
  EXPECT_FALSE(world.Of("lazy").history.missed_at) << "a stall alone says nothing of its page cache";
}

TEST(IdleUndo, AnswersTheReportForRule5Too) {
  World world;
  world.With(Lazy());
  world.Live(80);
  world.Report("lazy").refault_bytes_per_second =
      20 * kMiB;  // suffers, and is pressed while a balloon is left
  const Outcome undo = world.Tick();
  ASSERT_EQ(DecisionFor(world, undo, "lazy")->reason.rule, Rule::kIdleGuest);
  world.Obey(undo);
  ASSERT_GT(world.Of("lazy").vmm->value.balloon_actual.count, 0);
  EXPECT_TRUE(world.LaterUnheard(Milliseconds(500)).Tick().decisions.empty());
  world.Of("lazy").report->at = world.now;
  EXPECT_EQ(DecisionFor(world, world.Tick(), "lazy")->reason.rule, Rule::kPressedGrow) << "it says so again";
}

TEST(IdleUndo, ExplainsItself) {
  World world = AfterOneStep();
  world.Report("lazy").stall_permyriad = 25;
  const auto undo = DecisionFor(world, world.Tick(), "lazy");
  ASSERT_TRUE(undo);
  EXPECT_EQ(
      Explain(*undo, "lazy"),
      "lazy: gives 409MiB, balloon 409MiB -> 0B, because taking it made the guest suffer (5.6GiB available, "
      "tasks stalled 0.2 %) [rule 8]");
}

TEST(IdleUndo, OnlyOnAReportFromTheFifteenSecondsAfterTheStep) {
  // The step was taken one second ago.
  World watched = AfterOneStep();
  watched.Later(Seconds(14)).Report("lazy").stall_permyriad = 10;
  EXPECT_EQ(watched.Tick().decisions.size(), 1u);
  // Such a report counts also when it is looked at late: it is of the time in which the step was watched.
  World late = AfterOneStep();
  late.Later(Seconds(14)).Report("lazy").stall_permyriad = 10;
  late.LaterUnheard(Seconds(3));
  EXPECT_EQ(late.Tick().decisions.size(), 1u);
  World over = AfterOneStep();
  over.Later(Seconds(15)).Report("lazy").stall_permyriad = 10;
  EXPECT_TRUE(over.Tick().decisions.empty()) << "no longer this step's fault; no further step either";
  World before = AfterOneStep();
  before.Report("lazy").stall_permyriad = 10;
  before.Of("lazy").report->at = *before.Of("lazy").history.idle_step_at;
  EXPECT_TRUE(before.Tick().decisions.empty()) << "what it said before the step says nothing of the step";
}

TEST(IdleUndo, DoublesTheWaitEachTime) {
  World world = AfterOneStep();
  for (const int64_t wait : {120, 240, 480, 960, 1920, 3600, 3600}) {
    world.Report("lazy").stall_permyriad = 10;
    const MonotonicTime undone = world.now;
    ASSERT_EQ(world.Live(1).size(), 1u);
    EXPECT_EQ(world.Of("lazy").history.idle_wait, Seconds(wait));
    world.Report("lazy").stall_permyriad = 0;
    // Within the hour before a wait is halved.
    if (wait == 3600) break;
    const auto quiet = world.Live(static_cast<int>(wait) - 1);
    EXPECT_TRUE(quiet.empty()) << wait;
    const auto events = world.Live(1);
    ASSERT_EQ(events.size(), 1u) << wait;
    EXPECT_EQ(events[0].at, undone + Seconds(wait));
  }
}

TEST(IdleUndo, IsForgottenAfterAQuietHour) {
  World world = AfterOneStep();
  world.Report("lazy").stall_permyriad = 10;
  world.Live(1);
  ASSERT_EQ(world.Of("lazy").history.idle_wait, Seconds(120));
  const MonotonicTime regretted = *world.Of("lazy").history.regretted_at;
  world.Live(3599);
  EXPECT_EQ(world.Of("lazy").history.idle_wait, Seconds(120));
  world.Live(1);
  EXPECT_EQ(world.now, regretted + Seconds(3601));
  EXPECT_EQ(world.Of("lazy").history.idle_wait, Seconds(0));
  EXPECT_FALSE(world.Of("lazy").history.regretted_at);
}

TEST(IdleUndo, ALongWaitIsHalvedEachHour) {
  World world;
  world.With(Lazy());
  world.Of("lazy").history.idle_wait = Seconds(480);
  world.Of("lazy").history.regretted_at = world.now;
  for (const int64_t wait : {240, 120, 0}) {
    world.Later(Seconds(3600)).Tick();
    EXPECT_EQ(world.Of("lazy").history.idle_wait, Seconds(wait));
  }
}

// Whether a guest that needs its memory again `after` the last step regrets it. It stalls meanwhile, so that
// no further step is taken.
bool RegretsPressure(Nanos after, int32_t stall = 0) {
  World world = AfterOneStep();
  world.Later(after - Seconds(1));
  world.Report("lazy").available_bytes = 300 * kMiB;
  world.Report("lazy").stall_permyriad = stall;
  const auto grown = DecisionFor(world, world.Tick(), "lazy");
  EXPECT_TRUE(grown && grown->target < grown->from);
  EXPECT_FALSE(world.Of("lazy").history.idle_step_at) << "judged";
  return world.Of("lazy").history.idle_wait == Seconds(120);
}

TEST(IdleRegret, AGuestPressedWithinTenMinutesDoublesTheWait) {
  EXPECT_TRUE(RegretsPressure(Seconds(5)));
  EXPECT_TRUE(RegretsPressure(Seconds(599)));
  EXPECT_FALSE(RegretsPressure(Seconds(600)));
}

TEST(IdleRegret, LaterOnlyWhenItAlsoSuffers) {
  EXPECT_TRUE(RegretsPressure(Seconds(900), 10));
  EXPECT_FALSE(RegretsPressure(Seconds(900), 9));
}

TEST(IdleRegret, WhatAnotherRuleGaveBackIsNotGivenTwice) {
  World world;
  world.With(Lazy().Balloon(kGiB).Target(kGiB).Available(5 * kGiB));
  ASSERT_EQ(world.Live(60).size(), 0u);
  ASSERT_EQ(world.Tick().decisions.size(), 1u);  // a step that the balloon does not follow
  for (int second = 0; second < 8; ++second) world.Later(Seconds(1)).Tick();
  ASSERT_EQ(world.Of("lazy").history.target.value().count, kGiB) << "rule 4 took it back";
  world.Report("lazy").stall_permyriad = 10;
  EXPECT_TRUE(world.Later(Seconds(1)).Tick().decisions.empty());
}

TEST(IdleTaking, HostileHistoryIsSurvived) {
  World world;
  world.With(Lazy());
  GuestHistory& history = world.Of("lazy").history;
  history.idle_wait = {INT64_MAX};
  history.calm_since = MonotonicTime{INT64_MAX};
  history.idle_step = {INT64_MAX};
  history.idle_step_at = MonotonicTime{INT64_MAX};
  history.peak_window_since = MonotonicTime{INT64_MAX};
  history.regretted_at = MonotonicTime{INT64_MIN + 1};
  EXPECT_TRUE(world.Live(60).empty());
  EXPECT_EQ(world.Of("lazy").history.recent_peak_bytes, 2 * kGiB);
}

}  // namespace
}  // namespace ballast::policy
