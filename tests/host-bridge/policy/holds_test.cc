// Rule 6: an operator's standing request to keep memory taken from the guests.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/host-bridge/policy/world.h"

namespace ballast::policy {
namespace {

Guest Roomy(const std::string& name) { return Guest(name).Boot(8 * kGiB).Available(6 * kGiB); }

int64_t Taken(const World& world) {
  int64_t sum = 0;
  for (const GuestFacts& facts : world.snapshot.guests) sum += facts.vmm->value.balloon_actual.count;
  return sum;
}

TEST(OperatorHold, TakesFromAHealthyHostsGuestsWhatIsNotHeld) {
  World world;
  world.With(Roomy("a")).With(Roomy("b")).Hold("night", 300 * kMiB);
  const Outcome outcome = world.Tick();
  int64_t sum = 0;
  for (const Decision& decision : outcome.decisions) {
    EXPECT_EQ(decision.reason.rule, Rule::kOperatorHold);
    EXPECT_EQ(decision.reason.wanted_bytes, 300 * kMiB);
    sum += decision.target.count - decision.from.count;
  }
  EXPECT_EQ(sum, 300 * kMiB);
  world.Obey(outcome);
  EXPECT_TRUE(world.Later(Seconds(10)).Tick().decisions.empty()) << "held";
}

TEST(OperatorHold, ExplainsItself) {
  World world;
  world.With(Roomy("a").Balloon(100 * kMiB)).Hold("night", 300 * kMiB);
  const auto decision = DecisionFor(world, world.Tick(), "a");
  ASSERT_TRUE(decision);
  EXPECT_EQ(Explain(*decision, "a"),
            "a: takes 200MiB, balloon 100MiB -> 300MiB, because the operator wants memory kept reclaimed and "
            "200MiB of it are missing; the guest has 6GiB available [rule 6]");
}

TEST(OperatorHold, CountsBalloonsThatAreThereAndOnTheirWay) {
  struct Case {
    const char* what;
    Guest other;
    bool takes;
  };
  const Case cases[] = {
      {"held by a balloon", Guest("other").Boot(4 * kGiB).Balloon(kGiB), false},
      {"held by one of a guarded guest", Guest("other").Boot(4 * kGiB).Balloon(kGiB).In(Mode::kGuard), false},
      {"held by one that stands still", Guest("other").Boot(4 * kGiB).Balloon(kGiB).Paused(), false},
      {"on its way", Guest("other").Boot(4 * kGiB).Balloon(0).Target(kGiB).Available(3 * kGiB), false},
      {"one byte short", Guest("other").Boot(4 * kGiB).Balloon(kGiB - 1), true},
      {"an observed guest's balloon is nobody's doing",
       Guest("other").Boot(4 * kGiB).Balloon(kGiB).In(Mode::kObserve), true},
  };
  for (const Case& c : cases) {
    World world;
    world.With(c.other).With(Roomy("a")).Hold("night", kGiB);
    EXPECT_EQ(DecisionFor(world, world.Tick(), "a").has_value(), c.takes) << c.what;
  }
}

TEST(OperatorHold, TheLargestCountsNotTheSum) {
  World world;
  world.With(Roomy("a").Balloon(500 * kMiB));
  world.Hold("small", 400 * kMiB).Hold("large", 700 * kMiB).Hold("medium", 600 * kMiB);
  const auto decision = DecisionFor(world, world.Tick(), "a");
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->target.count, 700 * kMiB);
}

TEST(OperatorHold, EndsAtItsTimeAndGivesNothingBack) {
  World world;
  world.With(Roomy("a").Balloon(100 * kMiB)).Hold("night", 200 * kMiB, world.now + Seconds(1));
  World over = world;
  over.Later(Seconds(1));
  EXPECT_TRUE(over.Tick().decisions.empty()) << "the moment of its end is no longer part of it";
  EXPECT_EQ(world.Tick().decisions.size(), 1u);
}

TEST(OperatorHold, LargerThanAllSlackTakesStepByStepAndStopsAtTheFloors) {
  World world;
  world.config.idle_after = Seconds(24 * 3600);  // alone, without rule 8
  world.config.idle_max_wait = Seconds(24 * 3600);
  world.With(Roomy("a").Floor(6 * kGiB)).With(Roomy("b").Floor(7 * kGiB).Baseline(8 * kGiB));
  world.Hold("everything", INT64_MAX);
  for (const World::Event& event : world.Live(600)) {
    EXPECT_EQ(event.decision.reason.rule, Rule::kOperatorHold);
    EXPECT_LE(event.decision.target.count - event.decision.from.count, 410 * kMiB);
  }
  EXPECT_LE(world.Of("a").vmm->value.balloon_actual.count, 2 * kGiB);
  EXPECT_LE(world.Of("b").vmm->value.balloon_actual.count, kGiB);
  EXPECT_GT(Taken(world), 3 * kGiB - 4 * world.config.dead_band_bytes - 4 * kMiB);
  EXPECT_TRUE(world.Live(60).empty()) << "what cannot be had is not asked for again";
}

TEST(OperatorHold, NeverMakesATroubledGuestGive) {
  World world;
  world.With(Roomy("pressed").Available(400 * kMiB));
  world.With(Roomy("critical").Available(100 * kMiB));
  world.With(Roomy("silent").ReportAge(Seconds(13)));
  world.With(Roomy("guarded").In(Mode::kGuard));
  world.Hold("night", 4 * kGiB);
  EXPECT_TRUE(world.Tick().decisions.empty());
}

TEST(OperatorHold, APressedGuestIsStillGivenWhatItIsShortOf) {
  World world;
  world.With(Guest("pressed").Boot(2 * kGiB).Balloon(kGiB).Available(50 * kMiB)).Hold("night", 2 * kGiB);
  const auto decision = DecisionFor(world, world.Tick(), "pressed");
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->reason.rule, Rule::kPressedGrow);
  EXPECT_LT(decision->target, decision->from);
}

TEST(OperatorHold, NonsenseIsNoRequest) {
  for (const int64_t bytes : {int64_t{0}, int64_t{-1}, INT64_MIN}) {
    World world;
    world.With(Roomy("a")).Hold("odd", bytes);
    EXPECT_TRUE(world.Tick().decisions.empty()) << bytes;
  }
}

TEST(OperatorHold, WaitsWhileTheHostIsUnknown) {
  World world;
  world.With(Roomy("a")).Hold("night", kGiB).NoHost();
  EXPECT_TRUE(world.Tick().decisions.empty());
}

TEST(OperatorHold, WhatTheHostsPressureTakesCounts) {
  World world;
  world.config.max_step_permyriad = 0;
  world.Host(20 * kGiB, 2 * kGiB);  // 512 MiB are missing
  world.With(Roomy("a")).With(Roomy("b")).With(Roomy("c")).With(Roomy("d")).Hold("night", 512 * kMiB);
  int64_t sum = 0;
  for (const Decision& decision : world.Tick().decisions) {
    EXPECT_EQ(decision.reason.rule, Rule::kHostPressure);
    sum += decision.target.count - decision.from.count;
  }
  EXPECT_EQ(sum, 512 * kMiB);
}

}  // namespace
}  // namespace ballast::policy
