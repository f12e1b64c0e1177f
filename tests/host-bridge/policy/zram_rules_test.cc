// Swap on zram is no capacity: a guest whose zram fills is given memory before it is full, and one that lives
// on it is not taken from. And the kernel's own zones, which a Movable zone cannot relieve.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/host-bridge/policy/world.h"

namespace ballast::policy {
namespace {

using ::testing::HasSubstr;

// 1 GiB left of 4, well above the pressed threshold of 64 MiB and below the armed one of 512.
struct Zram {
  int64_t left = 900 * kMiB;
  int64_t stored = 100 * kMiB;
  Maybe<Nanos> full_in = {};
  bool refuses = false;
  int64_t available = 300 * kMiB;
};

World With(const Zram& zram) {
  World world;
  world.With(Guest("g")
                 .Boot(4 * kGiB)
                 .Balloon(3 * kGiB)
                 .Target(3 * kGiB)
                 .Floor(256 * kMiB)
                 .Available(zram.available));
  GuestReading& reading = world.Report("g");
  reading.zram_left_bytes = zram.left;
  reading.zram_stored_bytes = zram.stored;
  reading.zram_full_in = zram.full_in;
  reading.zram_refuses = zram.refuses;
  return world;
}

GuestState StateOf(const Zram& zram) {
  World world = With(zram);
  world.Tick();
  return world.Of("g").history.state;
}

TEST(Zram, WithRoomIsNobodysBusiness) {
  EXPECT_EQ(StateOf({}), GuestState::kComfortable);
  EXPECT_EQ(StateOf({.full_in = Seconds(6)}), GuestState::kComfortable);
}

TEST(Zram, ThatIsSoonFullPresses) { EXPECT_EQ(StateOf({.full_in = Seconds(5)}), GuestState::kPressed); }

TEST(Zram, ThatIsNearlyFullPressesWhileItGrows) {
  EXPECT_EQ(StateOf({.left = 99 * kMiB, .stored = 901 * kMiB, .full_in = Seconds(60)}), GuestState::kPressed);
  EXPECT_EQ(StateOf({.left = 100 * kMiB, .stored = 900 * kMiB, .full_in = Seconds(60)}),
            GuestState::kComfortable);
}

TEST(Zram, ThatRestsNearlyFullPressesWhereMemoryDoesNotCoverIt) {
  // 90 MiB are missing of the tenth that shall stay empty, on top of the threshold of 64.
  EXPECT_EQ(StateOf({.left = 10 * kMiB, .stored = 990 * kMiB, .available = 153 * kMiB}),
            GuestState::kPressed);
  EXPECT_EQ(StateOf({.left = 10 * kMiB, .stored = 990 * kMiB, .available = 154 * kMiB}),
            GuestState::kComfortable);
}

TEST(Zram, ThatEndsBeforeABalloonCouldHelpIsCritical) {
  // A tenth of it, 100 MiB, take the assumed balloon 195 ms, and the command 100.
  EXPECT_EQ(StateOf({.full_in = Milliseconds(295)}), GuestState::kCritical);
  EXPECT_EQ(StateOf({.full_in = Milliseconds(296)}), GuestState::kPressed);
  World slow = With({.full_in = Milliseconds(1'100)});
  slow.Of("g").history.give_bytes_per_second = 100 * kMiB;
  slow.Tick();
  EXPECT_EQ(slow.Of("g").history.state, GuestState::kCritical);
}

TEST(Zram, ThatRefusesIsCritical) { EXPECT_EQ(StateOf({.refuses = true}), GuestState::kCritical); }

TEST(Zram, FullBesidePlentyOfCacheKillsNobody) {
  EXPECT_EQ(
      StateOf({.left = 0, .stored = kGiB, .full_in = Nanos{}, .refuses = true, .available = 512 * kMiB}),
      GuestState::kComfortable);
}

TEST(PressedGrow, GivesWhatZramWillNoLongerTake) {
  World world = With({.left = 10 * kMiB, .stored = 990 * kMiB, .available = 100 * kMiB});
  world.Host(64 * kGiB, 32 * kGiB, 1000);  // under pressure: nothing is given beyond what is needed
  const auto decision = DecisionFor(world, world.Tick(), "g");
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->reason.rule, Rule::kPressedGrow);
  // Up to 5/4 of 64 MiB and of the tenth: 80 and 125 - 10.
  EXPECT_EQ(decision->reason.wanted_bytes, 95 * kMiB);
  EXPECT_THAT(Explain(*decision, "g"), HasSubstr("its zram takes 10MiB more"));
}

TEST(PressedGrow, CountsWhatGoesIntoZramAsEaten) {
  World world = With({.left = 400 * kMiB, .stored = 600 * kMiB, .full_in = Seconds(4)});
  world.Report("g").free_bytes = kGiB;
  const auto decision = DecisionFor(world, world.Tick(), "g");
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->reason.wanted_bytes, 10 * kMiB) << "100 MiB/s for the 100 ms a command takes";
}

TEST(PressedGrow, GivesFreeMemoryForTheHorizonWhileZramFills) {
  // 10 MiB/s go into it, though 300 MiB are available: the kernel keeps its page cache.
  World world = With({.left = 40 * kMiB, .stored = 360 * kMiB, .full_in = Seconds(4)});
  world.Report("g").free_bytes = 45 * kMiB;
  const auto decision = DecisionFor(world, world.Tick(), "g");
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->reason.rule, Rule::kPressedGrow);
  // 5/4 of 64 MiB, 50 - 40 missing of the tenth, 10 MiB/s for 5 s; less what is free.
  const int64_t short_of = (80 + 10 + 50 - 45) * kMiB;
  EXPECT_GT(decision->reason.wanted_bytes, short_of);
  EXPECT_LT(decision->reason.wanted_bytes, short_of + 4 * kMiB) << "and what goes in until it has arrived";
}

TEST(PressedGrow, GivesNoFreeMemoryForZramThatRests) {
  World world = With({.left = 10 * kMiB, .stored = 990 * kMiB, .available = 153 * kMiB});
  world.Host(64 * kGiB, 32 * kGiB, 1000);  // under pressure: nothing is given beyond what is needed
  const auto decision = DecisionFor(world, world.Tick(), "g");
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->reason.wanted_bytes, (80 + 115 - 153) * kMiB);
}

// One donor, with a host that is short of 1 GiB.
int64_t TakenFrom(const std::function<void(GuestReading&)>& set, int64_t host_available = 6 * kGiB) {
  World world;
  world.Host(64 * kGiB, host_available);
  world.With(Guest("donor").Boot(8 * kGiB).Available(6 * kGiB).Free(4 * kGiB));
  set(world.Report("donor"));
  const auto decision = DecisionFor(world, world.Tick(), "donor");
  return decision ? decision->target.count : 0;
}

TEST(Donor, ThatLivesOnZramIsSpared) {
  EXPECT_GT(TakenFrom([](GuestReading& r) { r.zram_stored_bytes = 1638 * kMiB; }), 0);
  EXPECT_EQ(TakenFrom([](GuestReading& r) { r.zram_stored_bytes = 1639 * kMiB; }), 0);
  EXPECT_GT(TakenFrom([](GuestReading& r) { r.zram_stored_bytes = 1639 * kMiB; }, kGiB), 0)
      << "a critical host cannot choose";
}

TEST(Donor, ThatHasNothingToGiveIsSpared) {
  EXPECT_GT(TakenFrom([](GuestReading& r) { r.giveable_bytes = 16 * kMiB; }), 0);
  EXPECT_EQ(TakenFrom([](GuestReading& r) { r.giveable_bytes = 16 * kMiB - 1; }), 0);
  EXPECT_GT(TakenFrom([](GuestReading& r) { r.giveable_bytes = 0; }, kGiB), 0);
}

TEST(IdleGuest, GivesHalfOfWhatItSaysItCould) {
  World world;
  world.With(Guest("idle").Boot(8 * kGiB).Available(7 * kGiB).Free(7 * kGiB));
  world.Of("idle").history.calm_since = MonotonicTime{0};
  world.Report("idle").giveable_bytes = 100 * kMiB;
  const auto decision = DecisionFor(world, world.Tick(), "idle");
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->reason.rule, Rule::kIdleGuest);
  EXPECT_EQ(decision->target.count, 50 * kMiB);
}

World WithKernelZones(int64_t headroom, int32_t stall) {
  World world;
  world.With(Guest("g").Boot(4 * kGiB).Balloon(2 * kGiB).Available(kGiB).Stall(stall));
  world.Report("g").kernel_headroom_bytes = headroom;
  return world;
}

TEST(KernelZones, ThatAreShortPressWithPlentyAvailable) {
  World world = WithKernelZones(-30 * kMiB, 10);
  const auto decision = DecisionFor(world, world.Tick(), "g");
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->reason.rule, Rule::kPressedGrow);
  EXPECT_EQ(decision->reason.wanted_bytes, 30 * kMiB);
  EXPECT_THAT(Explain(*decision, "g"), HasSubstr("its kernel's zones are 30MiB below their low watermarks"));
}

TEST(KernelZones, BelowTheirWatermarksWithoutStallsAreNormal) {
  World calm = WithKernelZones(-30 * kMiB, 9);
  EXPECT_TRUE(calm.Tick().decisions.empty());
  World wide = WithKernelZones(0, 10);
  EXPECT_TRUE(wide.Tick().decisions.empty());
  EXPECT_EQ(wide.Of("g").history.state, GuestState::kComfortable);
}

TEST(MemoryParts, ThatAreNonsenseAreABadReading) {
  const std::function<void(GuestReading&)> lies[] = {
      [](GuestReading& r) { r.giveable_bytes = -1; },
      [](GuestReading& r) { r.zram_left_bytes = (int64_t{1} << 48) + 1; },
      [](GuestReading& r) { r.zram_stored_bytes = -1; },
      [](GuestReading& r) { r.zram_full_in = Nanos{-1}; },
      [](GuestReading& r) { r.kernel_headroom_bytes = (int64_t{1} << 50) + 1; },
  };
  for (const auto& lie : lies) {
    World world = With({});
    lie(world.Report("g"));
    EXPECT_EQ(HoldFor(world, world.Tick(), "g"), Hold::Why::kBadReading);
  }
}

}  // namespace
}  // namespace ballast::policy
