// Rules 7 and 11: taking, the modes and what is not believed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host-bridge/policy/clamp.h"
#include "tests/host-bridge/policy/world.h"

namespace ballast::policy {
namespace {

// A host of 20 GiB keeps 2 GiB; this much is missing up to the 2.5 GiB at which the pressure ends.
World ShortHost(int64_t missing) {
  World world;
  world.Host(20 * kGiB, 2 * kGiB + 512 * kMiB - missing);
  return world;
}

// Nothing of it is free, so that the step is the fixed one.
Guest Roomy(const std::string& name) { return Guest(name).Boot(8 * kGiB).Available(6 * kGiB); }

int64_t Taken(const World& world, const Outcome& outcome, const std::string& name) {
  const auto decision = DecisionFor(world, outcome, name);
  return decision ? decision->target.count - decision->from.count : 0;
}

TEST(HostPressure, AHealthyHostTakesNothing) {
  World world;
  world.With(Roomy("a"));
  EXPECT_TRUE(world.Tick().decisions.empty());
}

TEST(HostPressure, TakesOneStepAndCountsWhatIsOnItsWay) {
  World world = ShortHost(700 * kMiB);
  world.config.max_step_permyriad = 0;
  world.With(Roomy("a")).With(Roomy("b"));
  const Outcome outcome = world.Tick();
  EXPECT_EQ(Taken(world, outcome, "a"), 256 * kMiB);
  EXPECT_EQ(Taken(world, outcome, "b"), 256 * kMiB);
  EXPECT_EQ(DecisionFor(world, outcome, "a")->reason.rule, Rule::kHostPressure);
  EXPECT_TRUE(world.Later(Seconds(1)).Tick().decisions.empty()) << "cooling";
  world.SetBalloon("a", 128 * kMiB);
  world.SetBalloon("b", 128 * kMiB);
  const Outcome next = world.Later(Seconds(4)).Tick();
  // 700 are missing, 256 pending: 444 more from both.
  EXPECT_EQ(Taken(world, next, "a") + Taken(world, next, "b"), 444 * kMiB);
}

TEST(HostPressure, AStepMayBeHalfOfTheFreePages) {
  // 5 % of 8 GiB are 409.6 MiB; half of the slack would be 2.7 GiB.
  for (const auto& [free, step] : {std::pair<int64_t, int64_t>{800, 409}, {1000, 500}, {6144, 2764}}) {
    World world;
    world.Host(20 * kGiB, 0).With(Roomy("a").Free(free * kMiB).Floor(128 * kMiB));
    // Half of the slack counts as the last bound: (6 GiB less the reserve of 614.4 MiB) / 2.
    EXPECT_NEAR(Taken(world, world.Tick(), "a"), std::min<int64_t>(step, 2560) * kMiB, 0) << free;
  }
}

// What is taken from a guest with 200 MiB free that read pages back so long ago.
int64_t TakenAfterAMiss(Nanos ago, int64_t host_available, Nanos idle_wait = {}) {
  World world;
  world.Host(20 * kGiB, host_available).With(Roomy("a").Free(200 * kMiB));
  world.Of("a").history.missed_at = world.now - ago;
  world.Of("a").history.idle_wait = idle_wait;
  return Taken(world, world.Tick(), "a");
}

TEST(Missed, OnlyFreePagesAreTakenOfAGuestThatReadPagesBack) {
  constexpr int64_t kPressure = 3 * kGiB / 2;  // of 2 GiB that are kept
  EXPECT_EQ(TakenAfterAMiss(Seconds(599), kPressure), 100 * kMiB) << "half of what is free";
  EXPECT_EQ(TakenAfterAMiss(Seconds(600), kPressure), 409 * kMiB) << "ten minutes later one step";
  EXPECT_EQ(TakenAfterAMiss(Seconds(719), kPressure, Seconds(120)), 100 * kMiB)
      << "longer after each wrong step";
  EXPECT_EQ(TakenAfterAMiss(Seconds(720), kPressure, Seconds(120)), 409 * kMiB);
  EXPECT_EQ(TakenAfterAMiss(Seconds(1), kGiB / 2), 409 * kMiB) << "a critical host cannot choose";
}

TEST(Missed, IsSeenAfterATakingForOthersToo) {
  World world = ShortHost(700 * kMiB);
  world.With(Roomy("a"));
  const Outcome taking = world.Tick();
  ASSERT_EQ(DecisionFor(world, taking, "a")->reason.rule, Rule::kHostPressure);
  world.Obey(taking);
  world.Report("a").refault_bytes_per_second = kMiB;
  EXPECT_TRUE(world.Later(Seconds(1)).Tick().decisions.empty()) << "only an idle step is undone as a whole";
  EXPECT_EQ(world.Of("a").history.missed_at, Maybe(world.now));
  EXPECT_EQ(world.Of("a").history.idle_wait, Seconds(120));
}

TEST(HostPressure, SharesFollowSlackAndWeight) {
  World world = ShortHost(600 * kMiB);
  world.With(Roomy("heavy").Weight(200)).With(Roomy("light").Weight(100));
  world.config.max_step_bytes = 4 * kGiB;
  const Outcome outcome = world.Tick();
  EXPECT_EQ(Taken(world, outcome, "heavy"), 200 * kMiB);
  EXPECT_EQ(Taken(world, outcome, "light"), 400 * kMiB);
}

TEST(HostPressure, ASmallShortageOverManyGuestsTakesFromAFew) {
  World world = ShortHost(520 * kMiB);
  for (int i = 0; i < 100; ++i) world.With(Roomy("g" + std::to_string(1000 + i)));
  const Outcome outcome = world.Tick();
  int64_t sum = 0;
  for (const Decision& decision : outcome.decisions) {
    sum += decision.target.count - decision.from.count;
    EXPECT_GE(decision.target.count - decision.from.count, world.config.dead_band_bytes);
  }
  EXPECT_EQ(sum, 520 * kMiB);
}

TEST(HostPressure, PressedBlockedGuardedAndFreshlyTakenFromAreNoDonors) {
  World world = ShortHost(2 * kGiB);
  world.With(Roomy("guard").In(Mode::kGuard));
  world.With(Roomy("off").In(Mode::kOff));
  world.With(Roomy("stalling").Available(3 * kGiB).Stall(5000));
  world.With(Roomy("blocked"));
  world.With(Roomy("unheard-since"));
  world.Of("blocked").history.inflate_blocked_until = world.now + Seconds(1);
  world.Of("unheard-since").history.last_inflate = world.now - Seconds(6);
  world.Of("unheard-since").report->at = world.now - Seconds(7);
  EXPECT_TRUE(world.Tick().decisions.empty());
}

TEST(HostPressure, EndsAboveTheMarginAndAfterTheDwell) {
  World world = ShortHost(2 * kGiB);
  world.Tick();
  EXPECT_EQ(world.snapshot.host_history.state, HostState::kCritical);
  world.Host(20 * kGiB, 2 * kGiB + 100 * kMiB);
  world.Later(Seconds(6)).Tick();
  EXPECT_EQ(world.snapshot.host_history.state, HostState::kPressure)
      << "above the reserve, but not above 5/4 of it";
  world.Host(20 * kGiB, 3 * kGiB);
  world.Later(Seconds(4)).Tick();
  EXPECT_EQ(world.snapshot.host_history.state, HostState::kPressure);
  world.Later(Seconds(2)).Tick();
  EXPECT_EQ(world.snapshot.host_history.state, HostState::kHealthy);
}

TEST(HostPressure, AnUnmetCriticalGuestIsADemandOnThoseAboveTheirBaseline) {
  World world;
  world.config.max_step_permyriad = 0;
  world.config.critical_draw_permyriad = 0;
  // It has its reserve of 2 GiB and a little; the dying guest wants 2 GiB back.
  world.Host(20 * kGiB, 2 * kGiB + 10 * kMiB);
  world.With(Guest("dying").Boot(4 * kGiB).Balloon(2 * kGiB).Available(5 * kMiB));
  world.With(Roomy("rich").Baseline(2 * kGiB)).With(Roomy("at-baseline"));
  const Outcome outcome = world.Tick();
  EXPECT_EQ(DecisionFor(world, outcome, "dying")->target.count, 2 * kGiB - 10 * kMiB);
  EXPECT_EQ(Taken(world, outcome, "rich"), 256 * kMiB);
  EXPECT_EQ(Taken(world, outcome, "at-baseline"), 0);
}

TEST(HostPressure, AHostWithNothingLeftToGrantTakesBelowBaselinesToo) {
  World world;
  world.config.max_step_permyriad = 0;
  world.Host(20 * kGiB, 2 * kGiB + kMiB / 2);
  world.With(Guest("dying").Balloon(700 * kMiB).Available(5 * kMiB)).With(Roomy("at-baseline"));
  EXPECT_EQ(Taken(world, world.Tick(), "at-baseline"), 256 * kMiB);
}

TEST(HostPressure, WhatAGuestWantsAboveItsBaselineIsNoDemand) {
  World world;
  world.Host(20 * kGiB, 2 * kGiB + 10 * kMiB);
  world.With(Guest("greedy").Boot(4 * kGiB).Balloon(2 * kGiB).Available(5 * kMiB).Baseline(2 * kGiB));
  world.With(Roomy("rich").Baseline(2 * kGiB));
  const Outcome outcome = world.Tick();
  EXPECT_TRUE(DecisionFor(world, outcome, "greedy")->reason.clamped);
  EXPECT_EQ(Taken(world, outcome, "rich"), 0);
}

TEST(Donors, SlackSubtractsABalloonThatMemTotalKeeps) {
  World world = ShortHost(2 * kGiB);
  world.With(Guest("doom").Boot(8 * kGiB).Balloon(4 * kGiB).Total(8 * kGiB).Available(3 * kGiB));
  world.Tick();
  // Used is 8 - 3 - 4 = 1 GiB of the 4 GiB it has, which makes it idle at the limit of 25 %, not overfull.
  EXPECT_EQ(world.Of("doom").history.state, GuestState::kComfortable);
  EXPECT_EQ(world.Of("doom").history.target.value().count, 4 * kGiB + 256 * kMiB);
}

TEST(Donors, AnnouncedFillAndCapsAddUp) {
  World world = ShortHost(2 * kGiB);
  world.With(Guest("tiny").Boot(512 * kMiB).Available(200 * kMiB)).With(Roomy("a")).With(Roomy("b"));
  world.config.max_step_bytes = 4 * kGiB;
  const Outcome outcome = world.Tick();
  EXPECT_EQ(Taken(world, outcome, "tiny") + Taken(world, outcome, "a") + Taken(world, outcome, "b"),
            2 * kGiB);
}

TEST(Donors, AGrantOnItsWayIsLeftAloneUntilItIsStuck) {
  World world = ShortHost(2 * kGiB);
  world.With(Roomy("a").Balloon(kGiB).Target(512 * kMiB).Available(5 * kGiB));
  EXPECT_TRUE(world.Tick().decisions.empty());
  EXPECT_TRUE(world.Later(Milliseconds(900)).Tick().decisions.empty());
  const auto decision = DecisionFor(world, world.Later(Milliseconds(200)).Tick(), "a");
  ASSERT_TRUE(decision) << "it is at ease without the rest";
  EXPECT_EQ(decision->reason.rule, Rule::kHostPressure);
  EXPECT_EQ(decision->from.count, kGiB);
  EXPECT_GT(decision->target.count, kGiB);
}

TEST(Donors, AGrantThatMovesIsNotStuck) {
  World world = ShortHost(2 * kGiB);
  world.With(Roomy("a").Balloon(kGiB).Target(512 * kMiB).Available(5 * kGiB));
  world.Tick();
  for (int step = 1; step <= 5; ++step) {
    world.SetBalloon("a", kGiB - step * 50 * kMiB);
    EXPECT_TRUE(world.Later(Milliseconds(900)).Tick().decisions.empty()) << step;
  }
}

TEST(Clamp, TakingStopsAtTheFloor) {
  World world = ShortHost(2 * kGiB);
  world.With(Roomy("a").Floor(8 * kGiB - 100 * kMiB));
  EXPECT_EQ(Taken(world, world.Tick(), "a"), 50 * kMiB);  // half of the slack that the floor leaves
}

TEST(Clamp, KeepsTargetsAlignedAndWithinTheLimitsWhateverARuleAsks) {
  const PolicyConfig config;
  View view;
  view.base = kGiB;
  view.target = view.actual = 512 * kMiB;
  view.least_balloon = 100 * kMiB + 1;
  view.most_balloon = 700 * kMiB + 5;
  EXPECT_EQ(ClampGive(view, -5, config), 101 * kMiB);
  EXPECT_EQ(ClampGive(view, 300 * kMiB - 1, config), 299 * kMiB);
  EXPECT_EQ(FitBudget(view, 101 * kMiB, 10 * kMiB + 5, config), 502 * kMiB);
  view.least_balloon = 600 * kMiB;  // the guest is above its ceiling: it is given nothing
  EXPECT_EQ(ClampGive(view, 0, config), 512 * kMiB);
  view.least_balloon = view.most_balloon = 600 * kMiB + 1;
  EXPECT_EQ(ClampGive(view, 0, config), 512 * kMiB) << "no aligned size between floor and ceiling";
}

TEST(Modes, ObserveShowsOnceAndPretendsNothing) {
  World world = ShortHost(kGiB);
  world.With(Roomy("seen").In(Mode::kObserve));
  const auto decision = DecisionFor(world, world.Tick(), "seen");
  ASSERT_TRUE(decision);
  EXPECT_FALSE(decision->act);
  EXPECT_FALSE(world.Of("seen").history.target);
  EXPECT_FALSE(world.Of("seen").history.last_inflate);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(world.Later(Seconds(1)).Tick().decisions.empty());
}

TEST(Modes, ObservedGuestsTakeNoRoomFromRealOnes) {
  World world;
  world.config.critical_draw_permyriad = 0;
  world.Host(20 * kGiB, 2 * kGiB + 100 * kMiB);  // 100 MiB above the reserve
  world.With(Guest("seen").Balloon(700 * kMiB).Available(5 * kMiB).In(Mode::kObserve).Weight(10000));
  world.With(Guest("real").Balloon(600 * kMiB).Available(5 * kMiB).In(Mode::kGuard));
  EXPECT_EQ(DecisionFor(world, world.Tick(), "real")->target.count, 500 * kMiB);
}

TEST(Modes, OffLooksAtNothing) {
  World world;
  world.With(Guest("off").Balloon(700 * kMiB).Available(5 * kMiB).In(Mode::kOff));
  const Outcome outcome = world.Tick();
  EXPECT_TRUE(outcome.decisions.empty());
  EXPECT_TRUE(outcome.holds.empty());
}

TEST(Holds, NameWhatIsWrongAndFreezeTheHistory) {
  struct Case {
    const char* what;
    Guest guest;
    Hold::Why why;
  };
  const Case cases[] = {
      {"no vmm", Guest("g").NoVmm(), Hold::Why::kNoVmm},
      {"old vmm", Guest("g").VmmAge(Seconds(16)), Hold::Why::kNoVmm},
      {"future vmm", Guest("g").VmmAge(Seconds(-60)), Hold::Why::kNoVmm},
      {"paused", Guest("g").Paused(), Hold::Why::kNotRunning},
      {"actual above base", Guest("g").Balloon(2 * kGiB).Total(kGiB), Hold::Why::kBadReading},
      {"floor above baseline", Guest("g").Floor(900 * kMiB).Baseline(800 * kMiB), Hold::Why::kBadLimits},
      {"no weight", Guest("g").Weight(0), Hold::Why::kBadLimits},
      {"never heard", Guest("g").NoReport(), Hold::Why::kNoReport},
      {"too old", Guest("g").ReportAge(Seconds(13)), Hold::Why::kStaleReport},
      {"available above total", Guest("g").Available(2 * kGiB), Hold::Why::kBadReading},
      {"total of another guest", Guest("g").Total(3 * kGiB), Hold::Why::kBadReading},
      {"sentinel", Guest("g").Available(-1), Hold::Why::kBadReading},
  };
  for (const Case& c : cases) {
    World world = ShortHost(2 * kGiB);
    world.With(c.guest);
    const GuestHistory before = world.Of("g").history;
    const Outcome outcome = world.Tick();
    EXPECT_EQ(HoldFor(world, outcome, "g"), c.why) << c.what;
    EXPECT_TRUE(outcome.decisions.empty()) << c.what;
    const bool frozen =
        c.why == Hold::Why::kNoVmm || c.why == Hold::Why::kNotRunning || c.why == Hold::Why::kBadLimits;
    EXPECT_TRUE(!frozen || world.Of("g").history == before) << c.what;
  }
}

TEST(States, EnterAtOnceLeaveAfterTheDwell) {
  World world;
  world.With(Guest("g").Available(20 * kMiB));
  world.Tick();
  EXPECT_EQ(world.Of("g").history.state, GuestState::kCritical);
  world.Report("g").available_bytes = 70 * kMiB;  // above the pressed threshold of 64, but not by the margin
  world.Later(Seconds(4)).Tick();
  EXPECT_EQ(world.Of("g").history.state, GuestState::kCritical);
  world.Report("g").available_bytes = 900 * kMiB;
  world.Later(Seconds(2)).Tick();
  EXPECT_EQ(world.Of("g").history.state, GuestState::kPressed) << "pressed was seen 2 s ago";
  world.Later(Seconds(6)).Tick();
  EXPECT_EQ(world.Of("g").history.state, GuestState::kIdle);
}

TEST(ThresholdsFor, AreOrderedForEverySize) {
  const PolicyConfig config;
  for (const int64_t total :
       {INT64_MIN, int64_t{-1}, int64_t{0}, int64_t{1}, kMiB, 64 * kMiB, kGiB, 64 * kGiB, INT64_MAX}) {
    const GuestThresholds t = ThresholdsFor(total, config);
    EXPECT_LE(0, t.critical_available_bytes) << total;
    EXPECT_LE(t.critical_available_bytes, t.pressed_available_bytes) << total;
    EXPECT_LE(t.pressed_available_bytes, t.armed_available_bytes) << total;
  }
  EXPECT_EQ(ThresholdsFor(256 * kMiB, config).pressed_available_bytes, 64 * kMiB);
  EXPECT_EQ(ThresholdsFor(64 * kGiB, config).critical_available_bytes, 256 * kMiB);
}

TEST(PolicyConfig, ValidByDefaultAndNamesAllFaultsAtOnce) {
  PolicyConfig config;
  EXPECT_TRUE(config.Validate().empty());
  config.alignment_bytes = 0;
  config.pressed_permyriad = 20000;
  config.lease = Seconds(1);
  config.max_step_bytes = INT64_MIN;
  EXPECT_THAT(config.Validate(),
              ::testing::IsSupersetOf({"alignment_bytes: 0B is out of range, allowed 4KiB..1GiB",
                                       "pressed_permyriad: 20000 is out of range, allowed 0..10000",
                                       "report_max_age: must not be above lease"}));
  World world;
  world.config = config;
  world.With(Guest("g").Balloon(700 * kMiB).Available(5 * kMiB));
  EXPECT_EQ(HoldFor(world, world.Tick(), "g"), Hold::Why::kBadLimits);
}

TEST(Explain, SaysWhatFromWhereToWhereAndWhy) {
  World world;
  world.With(Guest("web").Balloon(768 * kMiB).Available(20 * kMiB).Consumption(200 * kMiB));
  const auto decision = DecisionFor(world, world.Tick(), "web");
  EXPECT_EQ(
      Explain(*decision, "web"),
      "web: gives 768MiB, balloon 768MiB -> 0B, because the guest is critical (20MiB available, limit 32MiB, "
      "falling by 200MiB/s) [rule 1]");
  EXPECT_EQ(Explain(Hold{0, Hold::Why::kNoVmm}, "db"), "db: nothing done, no fresh reading from its VMM");
}

}  // namespace
}  // namespace ballast::policy
