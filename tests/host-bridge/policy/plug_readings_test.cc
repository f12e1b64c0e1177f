// What is said of plugged memory and is not believed, and the limits that count with it.
#include <gtest/gtest.h>

#include "host-bridge/policy/resize.h"
#include "tests/host-bridge/policy/world.h"

namespace ballast::policy {
namespace {

constexpr int64_t kUnit = 128 * kMiB;

// 1 GiB booted, an empty balloon, up to 8 GiB to plug.
Guest Small() { return Guest("small").Plugged(0, 8 * kGiB); }
Guest Critical() { return Small().Available(20 * kMiB); }

TEST(PlugReadings, ThatContradictThemselvesAreNotBelieved) {
  const std::vector<PlugReading> readings = {
      {-1, 0, kGiB, kUnit, 0},        {0, -1, kGiB, kUnit, 0},     {kGiB, 0, kUnit, kUnit, 0},
      {0, kGiB, kUnit, kUnit, 0},     {kUnit, 0, kGiB, 0, 0},      {kUnit, 0, kGiB, -kUnit, 0},
      {kUnit, 0, kGiB, kUnit, kGiB},  {kUnit, 0, kGiB, kUnit, -1}, {kGiB, kGiB, kGiB, kUnit, 0},
      {0, 0, int64_t{1} << 60, 1, 0},
  };
  for (const PlugReading& reading : readings) {
    World world;
    world.With(Critical());
    world.Of("small").vmm->value.plug = reading;
    const Outcome outcome = world.Tick();
    EXPECT_TRUE(outcome.plugs.empty());
    EXPECT_EQ(HoldFor(world, outcome, "small"), Hold::Why::kBadReading);
  }
}

TEST(PlugReadings, OfMoreBlocksThanTheGuestCouldHaveAreNotBelieved) {
  const int64_t reach = 9 * kGiB;
  for (const BlockReading& blocks :
       {BlockReading{reach, 1, {}}, BlockReading{-1, 0, {}}, BlockReading{0, -1, {}}, BlockReading{0, 0, -1},
        BlockReading{reach + 1, 0, {}}}) {
    World world;
    world.With(Critical());
    world.Report("small").blocks = blocks;
    const Outcome outcome = world.Tick();
    EXPECT_TRUE(outcome.plugs.empty());
    EXPECT_EQ(HoldFor(world, outcome, "small"), Hold::Why::kBadReading);
  }
  World world;
  world.With(Critical());
  world.Report("small").blocks = BlockReading{0, reach, {}};
  EXPECT_TRUE(PlugFor(world, world.Tick(), "small"));
}

// A block of boot memory that its admin took offline, while nothing was plugged yet.
TEST(PlugCommands, ArriveThoughABootBlockIsOffline) {
  for (const bool by_operator : {false, true}) {
    World world;
    world.With(Critical());
    world.Report("small").blocks = BlockReading{kUnit, kUnit, {}};
    GuestFacts& facts = world.Of("small");
    int64_t target = 4 * kUnit;
    if (by_operator) {
      NotePlugCommand(facts, target, world.now, facts.history);
    } else {
      const auto decided = PlugFor(world, world.Tick(), "small");
      ASSERT_TRUE(decided);
      target = decided->target;
    }
    PlugReading& plug = *facts.vmm->value.plug;
    plug.plugged_bytes = plug.requested_bytes = plug.outside_base_bytes = target;
    world.Report("small").total_bytes += target;
    world.Later(Milliseconds(100));
    static_cast<void>(world.Tick());
    EXPECT_NE(world.Of("small").history.plug->target, Maybe(target)) << "by operator: " << by_operator;
  }
}

// The balloon's limits with memory plugged: as DIMMs (part of the VMM's base) or as virtio-mem (beside it).
TEST(PlugLimits, CountWhatIsPlugged) {
  for (const bool outside : {true, false}) {
    World world;
    world.With(Small().Plugged(kGiB, 8 * kGiB).Available(1800 * kMiB).Free(1800 * kMiB));
    VmmReading& vmm = world.Of("small").vmm->value;
    if (!outside) {
      vmm.base_bytes = 2 * kGiB;
      vmm.plug->outside_base_bytes = 0;
    }
    world.Of("small").limits.floor_bytes = kGiB + 512 * kMiB;
    world.Of("small").limits.baseline_bytes = 2 * kGiB;
    world.Host(64 * kGiB, kGiB);  // critical: takes down to the floor
    int64_t held = 0;
    for (const World::Event& event : world.Live(100)) held = event.decision.target.count;
    EXPECT_GT(held, 400 * kMiB) << outside;
    EXPECT_LE(held, 512 * kMiB) << outside;
  }
}

}  // namespace
}  // namespace ballast::policy
