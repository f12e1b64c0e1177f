// Rule 9: a guest whose balloon has nothing left to give back is plugged, within what the host has and its
// kernel can take, one plugging at a time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/host-bridge/policy/world.h"

namespace ballast::policy {
namespace {

constexpr int64_t kUnit = 128 * kMiB;

// 1 GiB booted, an empty balloon, up to 8 GiB to plug. Pressed below 64 MiB, critical below 32 MiB.
Guest Small() { return Guest("small").Plugged(0, 8 * kGiB); }
Guest Pressed() { return Small().Available(50 * kMiB); }
Guest Critical() { return Small().Available(20 * kMiB); }

std::optional<PlugDecision> Plugs(World& world) { return PlugFor(world, world.Tick(), "small"); }

// What is plugged a second after the guest became pressed.
std::optional<PlugDecision> PlugsAfterASecond(World& world) {
  EXPECT_EQ(Plugs(world), std::nullopt);
  world.Later(Seconds(1));
  return Plugs(world);
}

TEST(Plug, WaitsUntilTheBalloonIsEmpty) {
  World world;
  world.With(Critical().Balloon(256 * kMiB));
  const Outcome outcome = world.Tick();
  ASSERT_TRUE(DecisionFor(world, outcome, "small"));
  EXPECT_TRUE(outcome.plugs.empty());
  world.Later(Milliseconds(100));  // given, and not yet arrived
  EXPECT_TRUE(world.Tick().plugs.empty());
  world.SetBalloon("small", 0);
  world.Later(Milliseconds(100));
  EXPECT_TRUE(Plugs(world));
}

TEST(Plug, FollowsAPressureThatLasts) {
  World world;
  world.With(Pressed());
  const auto plug = PlugsAfterASecond(world);
  ASSERT_TRUE(plug);
  EXPECT_EQ(plug->from, 0);
  EXPECT_EQ(plug->target, 2 * kUnit) << "a quarter of what it uses, less what is available, in whole units";
  EXPECT_TRUE(plug->act);
  EXPECT_EQ(
      Explain(*plug, "small"),
      "small: plugs 256MiB, plugged 0B -> 256MiB, because the guest needs more than its balloon can give "
      "back (50MiB available, limit 64MiB; short of 193.5MiB) [rule 9]");
}

TEST(Plug, ForgetsAPressureThatPassed) {
  World world;
  world.With(Pressed());
  EXPECT_EQ(Plugs(world), std::nullopt);
  world.Report("small").available_bytes = 400 * kMiB;
  world.Later(Milliseconds(900));
  EXPECT_EQ(Plugs(world), std::nullopt);
  world.Report("small").available_bytes = 50 * kMiB;
  world.Later(Milliseconds(200));
  EXPECT_EQ(PlugsAfterASecond(world).has_value(), true);
}

TEST(Plug, IsDoneAtOnceForACriticalGuestAndOneThatRunsOut) {
  World critical;
  critical.With(Critical());
  EXPECT_TRUE(Plugs(critical));
  World runs_out;
  runs_out.With(Small().Available(500 * kMiB).Consumption(300 * kMiB));
  const auto plug = Plugs(runs_out);
  ASSERT_TRUE(plug);
  EXPECT_EQ(plug->target, 5 * kUnit) << "what is eaten in two seconds";
  World lasts;
  lasts.With(Small().Available(500 * kMiB).Consumption(200 * kMiB));
  EXPECT_EQ(Plugs(lasts), std::nullopt);
}

// Later it would only be said that there is no room.
TEST(Plug, ComesWhileTheKernelStillHasRoom) {
  const auto runs_out = [](int64_t available, Maybe<int64_t> room, int64_t unit) {
    World world;
    world.With(Small().Available(available).Consumption(100 * kMiB));
    world.Report("small").blocks->room_bytes = room;
    world.Of("small").vmm->value.plug->unit_bytes = unit;
    return Plugs(world).has_value();
  };
  EXPECT_FALSE(runs_out(201 * kMiB, Maybe<int64_t>(), 128 * kMiB));
  EXPECT_TRUE(runs_out(234 * kMiB, Maybe(8 * kGiB), 128 * kMiB)) << "2 MiB of metadata, and 32 MiB";
  EXPECT_FALSE(runs_out(235 * kMiB, Maybe(8 * kGiB), 128 * kMiB));
  EXPECT_TRUE(runs_out(264 * kMiB, Maybe(8 * kGiB), 2 * kGiB)) << "32 MiB of metadata, and 32 MiB";
  EXPECT_FALSE(runs_out(265 * kMiB, Maybe(8 * kGiB), 2 * kGiB));
}

TEST(Plug, SaysWhatWasComparedWithWhat) {
  World world;
  world.With(Small().Available(150 * kMiB).Consumption(60 * kMiB).Room(kGiB));
  const auto plug = Plugs(world);
  ASSERT_TRUE(plug);
  EXPECT_THAT(Explain(*plug, "small"),
              ::testing::HasSubstr("(150MiB available, limit 154MiB, falling by 60MiB/s; "));
}

// Its trend goes up and down by a page, and a unit's metadata is more than what it has.
TEST(Plug, IsNothingForAGuestThatRestsHoweverLargeAUnitIs) {
  World world;
  world.With(Small().Available(150 * kMiB).Consumption(4 * kKiB).Room(16 * kGiB));
  world.Of("small").vmm->value.plug->unit_bytes = 8 * kGiB;
  EXPECT_EQ(Plugs(world), std::nullopt);
  world.Report("small").blocks->room_bytes = 128 * kMiB;
  EXPECT_EQ(HoldFor(world, world.Tick(), "small"), std::nullopt);
  world.Report("small").consumption_bytes_per_second = 40 * kMiB;
  EXPECT_EQ(HoldFor(world, world.Tick(), "small"), Hold::Why::kNoPlugRoom);
}

// Whatever it is plugged for alone is within the bell's horizon.
TEST(Plug, ForConsumptionIsWithinTheLongestHorizon) {
  World world;
  EXPECT_EQ(LongestHorizon(world.config), Seconds(4)) << "8 times exhaustion_horizon";
  world.With(Small().Available(161 * kMiB).Consumption(40 * kMiB).Room(16 * kGiB));
  world.Of("small").vmm->value.plug->unit_bytes = 8 * kGiB;
  EXPECT_EQ(Plugs(world), std::nullopt);
  world.Report("small").available_bytes = 160 * kMiB;
  EXPECT_TRUE(Plugs(world));
  world.config.plug_horizon = Seconds(7);
  EXPECT_EQ(LongestHorizon(world.config), Seconds(7));
}

TEST(Plug, DoesNotTakeWhatLeavesForConsumption) {
  World world;
  world.With(Small().Available(500 * kMiB).Consumption(300 * kMiB));
  world.Of("small").vmm->value.plug->unplugging = true;
  EXPECT_EQ(Plugs(world), std::nullopt);
  world.Report("small").available_bytes = 20 * kMiB;
  EXPECT_TRUE(Plugs(world)) << "but what is left counts";
}

// A second ago it would have eaten all within one, and has not spoken since: it is not pressed.
TEST(Plug, BelievesInConsumptionNoLongerThanItCouldLast) {
  const auto plugs = [](Nanos age, const std::function<void(GuestFacts&)>& change) {
    World world;
    world.With(Small().Available(500 * kMiB).Consumption(500 * kMiB));
    GuestFacts& facts = world.Of("small");
    facts.report->at = world.now - age;
    change(facts);
    return Plugs(world).has_value();
  };
  EXPECT_TRUE(plugs(Milliseconds(999), [](GuestFacts&) {}));
  EXPECT_FALSE(plugs(Milliseconds(1'000), [](GuestFacts&) {}));
  EXPECT_TRUE(plugs(Milliseconds(1'000), [](GuestFacts& facts) {
    facts.report->value.available_bytes = 50 * kMiB;
  })) << "a pressed guest that falls silent is no better for it";
  EXPECT_TRUE(plugs(Milliseconds(1'000), [](GuestFacts& facts) {
    facts.report->value.pressure_onset = facts.report->at;
  })) << "nor is one that its agent called pressed for its speed";
  EXPECT_TRUE(plugs(Milliseconds(1'000), [](GuestFacts& facts) {
    facts.resumed_at = facts.report->at + Milliseconds(1);
  })) << "a guest that did not run has not spoken";
}

struct Bound {
  const char* what;
  Guest guest;
  int64_t target;  // 0: nothing is plugged
};

TEST(Plug, KeepsWithinEveryBound) {
  const std::vector<Bound> bounds = {
      {"nothing in the way", Critical(), 2 * kUnit},
      {"ceiling", Critical().Ceiling(kGiB + 200 * kMiB), kUnit},
      {"ceiling reached", Critical().Ceiling(kGiB), 0},
      {"VMM", Critical().Plugged(0, kUnit), kUnit},
      {"kernel's room", Critical().Room(200 * kMiB), kUnit},
      {"no room", Critical().Room(100 * kMiB), 0},
      {"silent", Critical().ReportAge(Seconds(13)), 0},
      {"paused", Critical().Paused(), 0},
      {"off", Critical().In(Mode::kOff), 0},
      {"guard gives too", Critical().In(Mode::kGuard), 2 * kUnit},
  };
  for (const Bound& bound : bounds) {
    SCOPED_TRACE(bound.what);
    World world;
    world.With(bound.guest);
    const auto plug = Plugs(world);
    EXPECT_EQ(plug ? plug->target : 0, bound.target);
    EXPECT_EQ(plug && plug->reason.clamped, plug && bound.target < 2 * kUnit);
  }
}

TEST(Plug, SaysThatTheKernelHasNoRoom) {
  World world;
  world.With(Critical().Room(100 * kMiB));
  EXPECT_EQ(HoldFor(world, world.Tick(), "small"), Hold::Why::kNoPlugRoom);
}

TEST(Plug, NeedsAGuestThatCanBePlugged) {
  World world;
  world.With(Critical());
  world.Report("small").blocks.reset();
  EXPECT_EQ(Plugs(world), std::nullopt);
}

TEST(Plug, IsShownOnceInObserve) {
  World world;
  world.With(Critical().In(Mode::kObserve));
  const auto plug = Plugs(world);
  ASSERT_TRUE(plug);
  EXPECT_FALSE(plug->act);
  world.Later(Milliseconds(100));
  EXPECT_EQ(Plugs(world), std::nullopt);
  EXPECT_FALSE(world.Of("small").history.plug->target);
}

TEST(Plug, TakesWhatTheHostCanSpareInWholeUnits) {
  World world;
  world.With(Pressed()).Host(16 * kGiB, 16 * kGiB / 10 + 200 * kMiB);
  const auto plug = PlugsAfterASecond(world);
  ASSERT_TRUE(plug);
  EXPECT_EQ(plug->target, kUnit);
  EXPECT_TRUE(plug->reason.clamped);
}

TEST(Plug, IsNothingThatAnUnknownHostOwes) {
  World world;
  world.With(Critical()).NoHost();
  EXPECT_EQ(Plugs(world), std::nullopt);
}

TEST(Plug, LeavesRoomForWhatWasPluggedAndIsNotTouchedYet) {
  for (const int64_t resident : {3 * kGiB, 2 * kGiB + 800 * kMiB}) {
    World world;
    world.With(Pressed());
    world.With(Guest("full").Boot(kGiB).Plugged(2 * kGiB, 8 * kGiB).Resident(resident));
    world.Host(16 * kGiB, 16 * kGiB / 10 + 300 * kMiB);
    const auto plug = PlugsAfterASecond(world);
    EXPECT_EQ(plug ? plug->target : 0, resident == 3 * kGiB ? 2 * kUnit : 0);
  }
}

TEST(Plug, PutsNobodyElseUnderPressure) {
  World world;
  world.With(Pressed()).With(Guest("rich").Boot(8 * kGiB).Available(6 * kGiB).Free(6 * kGiB));
  world.Host(16 * kGiB, 16 * kGiB / 10 + 10 * kMiB);
  EXPECT_EQ(PlugsAfterASecond(world), std::nullopt);
  EXPECT_EQ(DecisionFor(world, world.Tick(), "rich"), std::nullopt) << "it is above its baseline";
}

// A guest and what becomes of the first plugging.
class OnePlugged : public ::testing::Test {
 protected:
  OnePlugged() {
    world_.With(Critical());
    first_ = *Plugs(world_);
  }
  // The VMM has plugged it, and of that so much is offline.
  void Arrive(int64_t offline) {
    PlugReading& plug = *world_.Of("small").vmm->value.plug;
    plug.plugged_bytes = plug.requested_bytes = plug.outside_base_bytes = first_.target;
    world_.Report("small").blocks->offline_bytes = offline;
    world_.Report("small").total_bytes = kGiB + first_.target - offline;
  }
  World world_;
  PlugDecision first_;
};

TEST_F(OnePlugged, IsUnderWayUntilTheGuestUsesIt) {
  world_.Later(Milliseconds(100));
  EXPECT_EQ(Plugs(world_), std::nullopt);
  Arrive(kUnit);
  world_.Later(Milliseconds(100));
  EXPECT_EQ(Plugs(world_), std::nullopt) << "a block is offline";
  Arrive(0);
  world_.Later(Milliseconds(100));
  const auto next = Plugs(world_);
  ASSERT_TRUE(next) << "as critical as before";
  EXPECT_EQ(next->from, first_.target);
  EXPECT_GT(next->target, first_.target);
}

TEST_F(OnePlugged, HasNotArrivedWhileMemTotalIsWhatItWas) {
  Arrive(0);
  world_.Report("small").total_bytes = kGiB;
  world_.Later(Milliseconds(100));
  EXPECT_EQ(Plugs(world_), std::nullopt) << "I9: the guest does not have it yet";
}

TEST_F(OnePlugged, IsSentAgainWhenTheVmmShowsNothingOfIt) {
  world_.Later(Milliseconds(900));
  EXPECT_EQ(Plugs(world_), std::nullopt);
  world_.Later(Milliseconds(200));
  const auto again = Plugs(world_);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->target, first_.target);
  EXPECT_EQ(again->from, first_.target);
}

TEST_F(OnePlugged, IsGivenUpWhenTheVmmDoesNotDoIt) {
  world_.Report("small").available_bytes = 50 * kMiB;  // nobody asks for it again
  world_.Of("small").limits.ceiling_bytes = kGiB;
  world_.Later(Seconds(11));
  EXPECT_EQ(Plugs(world_), std::nullopt);
  world_.Of("small").limits.ceiling_bytes = std::nullopt;
  for (int second = 0; second < 28; ++second) {
    world_.Later(Seconds(1));
    ASSERT_EQ(Plugs(world_), std::nullopt) << second;
  }
  world_.Later(Seconds(3));
  EXPECT_TRUE(Plugs(world_)) << "the block of 30 s is over";
}

TEST_F(OnePlugged, IsSaidWhenItDoesNotComeIntoUse) {
  Arrive(kUnit);
  world_.Tick();
  world_.Later(Seconds(9));
  EXPECT_EQ(HoldFor(world_, world_.Tick(), "small"), std::nullopt);
  world_.Later(Seconds(2));
  const Outcome outcome = world_.Tick();
  EXPECT_EQ(HoldFor(world_, outcome, "small"), Hold::Why::kPlugStuck);
  EXPECT_TRUE(outcome.plugs.empty());
}

TEST_F(OnePlugged, ThatDoesNotComeIntoUseKeepsNoMoreAwayForEver) {
  Arrive(kUnit);
  world_.Tick();
  world_.Later(Seconds(11));
  EXPECT_EQ(Plugs(world_), std::nullopt);
  for (int second = 0; second < 28; ++second) {
    world_.Later(Seconds(1));
    ASSERT_EQ(Plugs(world_), std::nullopt) << second;
  }
  world_.Later(Seconds(3));
  EXPECT_TRUE(Plugs(world_)) << "the block of 30 s is over";
  world_.Later(Seconds(45));
  EXPECT_EQ(Plugs(world_), std::nullopt);
  world_.Later(Seconds(31));
  EXPECT_EQ(Plugs(world_), std::nullopt) << "the next one is longer";
}

TEST_F(OnePlugged, IsNoProgressWhenTheGuestsWordGoesBackAndForth) {
  for (int second = 0; second < 14; ++second) {
    Arrive(second % 2 == 0 ? first_.target : kUnit);
    world_.Tick();
    world_.Later(Seconds(1));
  }
  EXPECT_EQ(HoldFor(world_, world_.Tick(), "small"), Hold::Why::kPlugStuck);
}

TEST_F(OnePlugged, ThatDoesNotComeIntoUseShieldsNoBalloon) {
  Arrive(kUnit);
  GuestReading& report = world_.Report("small");
  report.available_bytes = report.free_bytes = 900 * kMiB;
  world_.Of("small").history.critical_seen.reset();
  world_.Of("small").history.pressed_seen.reset();
  world_.Tick();
  world_.Host(64 * kGiB, kGiB);  // the host is critical
  world_.Later(Seconds(9));
  EXPECT_TRUE(world_.Tick().decisions.empty());
  world_.Later(Seconds(2));
  EXPECT_FALSE(world_.Tick().decisions.empty());
}

// A block that its admin took offline, or that cannot come online.
TEST(PlugOfflineBlock, IsNotWaitedFor) {
  World world;
  world.With(Critical().Plugged(kUnit, 8 * kGiB));
  world.Report("small").blocks->offline_bytes = kUnit;
  const auto first = Plugs(world);
  ASSERT_TRUE(first);
  PlugReading& plug = *world.Of("small").vmm->value.plug;
  plug.plugged_bytes = plug.requested_bytes = plug.outside_base_bytes = first->target;
  world.Report("small").blocks->offline_bytes = 2 * kUnit;
  world.Report("small").total_bytes += first->target;
  world.Later(Milliseconds(100));
  EXPECT_EQ(Plugs(world), std::nullopt) << "another one is offline";
  world.Report("small").blocks->offline_bytes = kUnit;
  world.Later(Milliseconds(100));
  EXPECT_TRUE(Plugs(world)) << "what was plugged has arrived";
}

TEST_F(OnePlugged, CountsAgainstTheHostUntilItIsThere) {
  const int64_t reserve = 64 * kGiB / 10;
  world_.With(Guest("other").Boot(4 * kGiB).Balloon(kGiB).Available(50 * kMiB));
  world_.Later(Milliseconds(100));
  world_.Host(64 * kGiB, reserve + first_.target);
  world_.Of("other").limits.mode = Mode::kGuard;
  world_.Report("other").available_bytes = 150 * kMiB;  // pressed, not critical
  EXPECT_EQ(DecisionFor(world_, world_.Tick(), "other"), std::nullopt) << "all of it is promised";
  Arrive(0);
  world_.Report("small").available_bytes = 500 * kMiB;
  world_.Later(Milliseconds(100));
  EXPECT_TRUE(DecisionFor(world_, world_.Tick(), "other"));
}

TEST_F(OnePlugged, CountsWhenItsVmmIsNoLongerHeard) {
  world_.With(Guest("other").Boot(4 * kGiB).Balloon(kGiB).Available(150 * kMiB));
  world_.Of("small").vmm.reset();
  world_.Later(Milliseconds(100));
  world_.Host(64 * kGiB, 64 * kGiB / 10 + first_.target);
  EXPECT_EQ(DecisionFor(world_, world_.Tick(), "other"), std::nullopt);
}

TEST_F(OnePlugged, LeavesTheBalloonAtRest) {
  world_.Report("small").available_bytes = 900 * kMiB;
  world_.Report("small").free_bytes = 900 * kMiB;
  world_.Of("small").history.state = GuestState::kIdle;
  world_.Of("small").history.critical_seen.reset();
  world_.Of("small").history.pressed_seen.reset();
  world_.Later(Seconds(6)).Host(64 * kGiB, kGiB);  // the host is critical
  EXPECT_TRUE(world_.Tick().decisions.empty());
}

TEST(PlugRequest, IsGrantedBesideAnEmptyBalloon) {
  World world;
  world.With(Small().Available(400 * kMiB));
  world.Of("small").request = MemoryRequest{7, 200 * kMiB, Urgency::kNormal, world.now + Seconds(2)};
  const Outcome outcome = world.Tick();
  const auto plug = PlugFor(world, outcome, "small");
  ASSERT_TRUE(plug);
  EXPECT_EQ(plug->target, 2 * kUnit);
  EXPECT_EQ(plug->reason.rule, Rule::kMemoryRequest);
  ASSERT_EQ(outcome.answers.size(), 1u);
  EXPECT_EQ(outcome.answers[0],
            (Answer{0, 7, 200 * kMiB, world.config.plug_horizon, Refusal::kNone, Actuator::kHotplug}));
}

TEST(PlugRequest, CountsWhatIsOnItsWay) {
  World world;
  world.With(Critical());
  ASSERT_TRUE(Plugs(world));
  world.Of("small").request = MemoryRequest{7, 300 * kMiB, Urgency::kKill, world.now + Seconds(2)};
  world.Later(Milliseconds(100));
  const Outcome outcome = world.Tick();
  ASSERT_EQ(outcome.answers.size(), 1u);
  EXPECT_EQ(outcome.answers[0].granted_bytes, 2 * kUnit);
  EXPECT_EQ(outcome.answers[0].actuator, Actuator::kHotplug);
  EXPECT_EQ(outcome.answers[0].why, Refusal::kNothingTaken);
}

}  // namespace
}  // namespace ballast::policy
