// Rule 10: what was plugged leaves again when it has not been needed for long, and comes back when it is
// missed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/host-bridge/policy/world.h"

namespace ballast::policy {
namespace {

constexpr int64_t kUnit = 128 * kMiB;

// 4 GiB booted and 2 GiB plugged, of which 1 GiB is in use. What it keeps beyond that is 5/4 of its pressed
// threshold: 460.8 MiB.
Guest Lazy() {
  return Guest("lazy").Boot(4 * kGiB).Plugged(2 * kGiB, 8 * kGiB).Available(5 * kGiB).Free(5 * kGiB);
}

std::vector<World::Event> PlugsIn(std::vector<World::Event> events) {
  std::erase_if(events, [](const World::Event& event) { return !event.plug; });
  return events;
}

TEST(Unplug, FollowsFiveMinutesOfCalmInSteps) {
  World world;
  world.With(Lazy());
  const MonotonicTime start = world.now;
  const auto events = world.Live(316);
  ASSERT_EQ(events.size(), 2u) << "and rule 8 leaves the guest alone all the time";
  ASSERT_TRUE(events[0].plug);
  EXPECT_EQ(events[0].at, start + Seconds(300));
  EXPECT_EQ(events[0].plug->from, 2 * kGiB);
  EXPECT_EQ(events[0].plug->target, 2 * kGiB - 2 * kUnit) << "5 % of the size, in whole units";
  EXPECT_EQ(events[1].at, start + Seconds(315)) << "each step is watched";
  EXPECT_EQ(Explain(*events[0].plug, "lazy"),
            "lazy: unplugs 256MiB, plugged 2GiB -> 1.8GiB, because the guest has not needed it for long "
            "(5GiB available) [rule 10]");
}

// Plugged for what it eats, before it is pressed: when it arrives, the calm before is no reason to take it.
class UnplugAfterGrowth : public ::testing::Test {
 protected:
  // Calm for so long, then one report of a guest that will have nothing left in two seconds. Returns when.
  MonotonicTime GrowAfter(int seconds) {
    world_.config.working_set_window = Seconds(1);  // or what it used then would keep all of it for minutes
    world_.With(Lazy());
    world_.Live(seconds);
    GuestReading& reading = world_.Report("lazy");
    const GuestReading calm = reading;
    reading.available_bytes = reading.free_bytes = 700 * kMiB;
    reading.consumption_bytes_per_second = 400 * kMiB;
    const auto plugs = PlugsIn(world_.Live(1));
    EXPECT_EQ(plugs.size(), 1u);
    if (plugs.empty()) return world_.now;
    EXPECT_EQ(plugs[0].plug->reason.rule, Rule::kPlug);
    EXPECT_EQ(world_.Of("lazy").history.state, GuestState::kComfortable);
    world_.Report("lazy") = calm;
    return plugs[0].at;
  }
  [[nodiscard]] Nanos NextUnplugAfter(MonotonicTime grown) {
    for (const World::Event& event : world_.Live(1500)) {
      if (event.plug && event.plug->reason.rule == Rule::kUnplug) return event.at - grown;
      EXPECT_GE(event.at - grown, world_.config.idle_after) << "rule 8 waits as well";
    }
    return {};
  }

  World world_;
};

TEST_F(UnplugAfterGrowth, WaitsAsLongAsAtFirst) {
  const Nanos waited = NextUnplugAfter(GrowAfter(250));
  EXPECT_GE(waited, Seconds(300));
  EXPECT_LE(waited, Seconds(302));
}

TEST_F(UnplugAfterGrowth, AndLongerIfItHadJustBeenTaken) {
  EXPECT_GE(NextUnplugAfter(GrowAfter(302)), Seconds(600));
}

TEST(Unplug, EndsWithNothingPluggedAndOnlyThenTheBalloonTakes) {
  World world;
  world.With(Lazy());
  bool all_gone = false;
  for (const World::Event& event : world.Live(900)) {
    if (event.plug) all_gone = event.plug->target == 0;
    EXPECT_TRUE(event.plug || all_gone) << "taken by the balloon while memory could leave";
  }
  EXPECT_TRUE(all_gone);
  EXPECT_GT(world.Of("lazy").vmm->value.balloon_actual.count, 0);
}

struct Bound {
  const char* what;
  Guest guest;
  int64_t target;  // -1: nothing leaves
};

TEST(Unplug, KeepsWithinEveryBound) {
  const int64_t most = 2 * kGiB;
  const std::vector<Bound> bounds = {
      {"a step", Lazy(), most - 2 * kUnit},
      {"floor", Lazy().Floor(6 * kGiB - 300 * kMiB).Baseline(6 * kGiB), most - kUnit},
      {"at its floor", Lazy().Floor(6 * kGiB).Baseline(6 * kGiB), -1},
      {"half of the slack", Lazy().Available(1469 * kMiB).Free(1469 * kMiB), most - kUnit},
      {"less than two units of slack", Lazy().Available(1389 * kMiB).Free(1389 * kMiB), -1},
      {"guard", Lazy().In(Mode::kGuard), -1},
      {"stalls", Lazy().Stall(20), -1},
  };
  for (const Bound& bound : bounds) {
    SCOPED_TRACE(bound.what);
    World world;
    world.With(bound.guest);
    const auto plugs = PlugsIn(world.Live(305));
    EXPECT_EQ(plugs.empty() ? -1 : plugs[0].plug->target, bound.target);
  }
}

TEST(Unplug, TakesOnlyWhatCanLeave) {
  World world;
  world.With(Lazy());
  world.Report("lazy").blocks->movable_bytes = kUnit + kMiB;
  const auto plugs = PlugsIn(world.Live(301));
  ASSERT_EQ(plugs.size(), 1u);
  EXPECT_EQ(plugs[0].plug->target, 2 * kGiB - kUnit);
}

TEST(Unplug, AndTheBalloonTakeWhateverBlockIsOffline) {
  World world;
  world.With(Lazy());
  world.Report("lazy").blocks->offline_bytes = kUnit;
  EXPECT_EQ(PlugsIn(world.Live(301)).size(), 1u);
  World critical;
  critical.With(Lazy()).Host(64 * kGiB, kGiB);
  critical.Report("lazy").blocks->offline_bytes = kUnit;
  critical.Tick();
  critical.Later(Seconds(6));
  EXPECT_FALSE(critical.Tick().decisions.empty());
}

TEST(Unplug, HasTheBalloonGiveBackWhatShallLeave) {
  World world;
  // Beyond what it uses and keeps it has 238 MiB: less than twice a unit.
  world.With(Lazy().Balloon(4 * kGiB).Available(600 * kMiB).Free(600 * kMiB));
  const auto events = world.Live(303);
  ASSERT_GE(events.size(), 2u);
  EXPECT_FALSE(events[0].plug);
  EXPECT_EQ(events[0].decision.reason.rule, Rule::kUnplug);
  EXPECT_LT(events[0].decision.target, events[0].decision.from);
  ASSERT_TRUE(events[1].plug) << "and what it gave leaves";
  EXPECT_LT(events[1].plug->target, events[1].plug->from);
}

TEST(Unplug, IsNotPaidForByAHostThatHasNothing) {
  World world;
  world.With(Lazy().Balloon(4 * kGiB).Available(600 * kMiB).Free(600 * kMiB));
  world.Host(64 * kGiB, 64 * kGiB / 10 + 100 * kMiB);
  for (const World::Event& event : world.Live(303)) EXPECT_FALSE(event.decision.reason.rule == Rule::kUnplug);
}

TEST(Unplug, IsUndoneWhenTheGuestSuffers) {
  World world;
  world.With(Lazy());
  ASSERT_EQ(world.Live(301).size(), 1u);
  world.Report("lazy").refault_bytes_per_second = 2 * kMiB;
  const auto events = world.Live(1);
  ASSERT_EQ(events.size(), 1u);
  ASSERT_TRUE(events[0].plug);
  EXPECT_EQ(events[0].plug->target, 2 * kGiB);
  EXPECT_EQ(events[0].plug->reason.rule, Rule::kUnplug);
  EXPECT_THAT(Explain(*events[0].plug, "lazy"), testing::HasSubstr("unplugging it made the guest suffer"));
  EXPECT_EQ(world.Of("lazy").history.idle_wait, world.config.idle_after * 2) << "and the wait is longer";
}

// Commanded and not obeyed.
class Unplugging : public ::testing::Test {
 protected:
  Unplugging() {
    world_.With(Lazy());
    EXPECT_TRUE(world_.Live(300).empty());
    step_ = *PlugFor(world_, world_.Tick(), "lazy");
    world_.Of("lazy").vmm->value.plug->requested_bytes = step_.target;
  }
  World world_;
  PlugDecision step_;
};

TEST_F(Unplugging, EndsWhenTheGuestDoesNotLetGo) {
  world_.Later(Seconds(59));
  EXPECT_TRUE(world_.Tick().plugs.empty());
  world_.Later(Seconds(2));
  const auto stop = PlugFor(world_, world_.Tick(), "lazy");
  ASSERT_TRUE(stop);
  EXPECT_EQ(stop->target, 2 * kGiB);
  EXPECT_THAT(Explain(*stop, "lazy"), testing::HasSubstr("the guest does not let it go"));
  world_.Of("lazy").vmm->value.plug->requested_bytes = 2 * kGiB;
  for (int second = 0; second < 28; ++second) {
    world_.Later(Seconds(1));
    ASSERT_TRUE(world_.Tick().plugs.empty()) << second;
  }
}

TEST_F(Unplugging, ThatFailedKeepsNothingFromBeingPlugged) {
  world_.Later(Seconds(61));
  ASSERT_TRUE(PlugFor(world_, world_.Tick(), "lazy"));
  world_.Of("lazy").vmm->value.plug->requested_bytes = 2 * kGiB;
  world_.Report("lazy").available_bytes = 20 * kMiB;
  world_.Later(Seconds(1));
  const auto plug = PlugFor(world_, world_.Tick(), "lazy");
  ASSERT_TRUE(plug);
  EXPECT_GT(plug->target, 2 * kGiB);
}

TEST_F(Unplugging, GoesOnWhileSomethingLeaves) {
  PlugReading& plug = *world_.Of("lazy").vmm->value.plug;
  for (int i = 0; i < 3; ++i) {
    world_.Later(Seconds(50));
    plug.plugged_bytes = plug.outside_base_bytes = plug.plugged_bytes - 2 * kMiB;
    ASSERT_TRUE(world_.Tick().plugs.empty()) << i;
  }
}

TEST_F(Unplugging, EndsForAGuestThatNeedsItAfterAll) {
  world_.Report("lazy").available_bytes = 20 * kMiB;
  world_.Later(Seconds(1));
  const auto plug = PlugFor(world_, world_.Tick(), "lazy");
  ASSERT_TRUE(plug);
  EXPECT_EQ(plug->reason.rule, Rule::kPlug);
  EXPECT_EQ(plug->from, step_.target);
  EXPECT_GT(plug->target, 2 * kGiB);
}

// DIMMs of several sizes: 27 units of 128 MiB are plugged, and the smallest DIMM has 4.
class UnevenUnplugging : public ::testing::Test {
 protected:
  static constexpr int64_t kPlugged = 27 * kUnit;

  UnevenUnplugging() {
    world_.With(Lazy().Plugged(kPlugged, 8 * kGiB).Ceiling(4 * kGiB + kPlugged));
    world_.Of("lazy").vmm->value.plug->unit_bytes = 4 * kUnit;
    EXPECT_TRUE(world_.Live(300).empty());
    const auto step = PlugFor(world_, world_.Tick(), "lazy");
    EXPECT_TRUE(step && step->target < kPlugged);
    if (step) world_.Of("lazy").vmm->value.plug->requested_bytes = step->target;
  }
  World world_;
};

TEST_F(UnevenUnplugging, EndsWhereItBeganWhenTheGuestDoesNotLetGo) {
  world_.Later(Seconds(61));
  const auto stop = PlugFor(world_, world_.Tick(), "lazy");
  ASSERT_TRUE(stop);
  EXPECT_EQ(stop->target, kPlugged);
}

TEST_F(UnevenUnplugging, EndsWithinTheCeilingForAGuestThatNeedsIt) {
  world_.Report("lazy").available_bytes = 20 * kMiB;
  world_.Later(Seconds(1));
  const auto plug = PlugFor(world_, world_.Tick(), "lazy");
  ASSERT_TRUE(plug);
  EXPECT_EQ(plug->target, kPlugged) << "the ceiling";
}

TEST_F(UnevenUnplugging, AddsWholeUnitsToWhatIsPlugged) {
  world_.Of("lazy").limits.ceiling_bytes = 4 * kGiB + kPlugged + 5 * kUnit;
  world_.Report("lazy").available_bytes = 20 * kMiB;
  world_.Later(Seconds(1));
  const auto plug = PlugFor(world_, world_.Tick(), "lazy");
  ASSERT_TRUE(plug);
  EXPECT_EQ(plug->target, kPlugged + 4 * kUnit);
}

TEST_F(UnevenUnplugging, CostsAHostThatHasNothingNothing) {
  world_.Of("lazy").limits.ceiling_bytes.reset();
  world_.Report("lazy").available_bytes = 20 * kMiB;
  world_.Later(Seconds(1)).Host(64 * kGiB, 64 * kGiB / 20);
  const auto plug = PlugFor(world_, world_.Tick(), "lazy");
  ASSERT_TRUE(plug);
  EXPECT_EQ(plug->target, kPlugged);
}

TEST_F(Unplugging, TakesNothingByTheBalloonMeanwhile) {
  world_.Later(Seconds(20)).Host(64 * kGiB, kGiB);
  EXPECT_TRUE(world_.Tick().decisions.empty());
}

}  // namespace
}  // namespace ballast::policy
