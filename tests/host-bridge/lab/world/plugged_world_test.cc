// Guests that need more than they booted with: carried by what is plugged, which leaves again, and lost
// without it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host-bridge/lab/world/ballast_controller.h"
#include "tests/host-bridge/lab/world/small_world.h"

namespace ballast::sim {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

// 300 MiB, for five minutes 2 GiB, and 300 MiB again.
GuestPlan Grower(const std::string& name, int64_t plug_bytes) {
  GuestPlan guest = QuietGuest(name, kGiB, 300 * kMiB);
  guest.device.plug_bytes = plug_bytes;
  guest.workload =
      Script({{.length = Seconds(120), .anon_bytes = 300 * kMiB},
              {.length = Seconds(300), .anon_bytes = 2 * kGiB, .anon_bytes_per_second = 200 * kMiB},
              {.length = Seconds(3600), .anon_bytes = 300 * kMiB}});
  return guest;
}

RunResult RunBallast(const WorldPlan& plan) {
  return sim::Run(plan, Ballast(), {.sample_every = Seconds(60), .drawn_guests = 0});
}

TEST(PluggedWorld, CarriesAGuestThatOutgrowsItsBootMemory) {
  const RunResult without = RunBallast(SmallWorld(Seconds(1800), {Grower("a", 0)}));
  EXPECT_GT(without.measures.guest_oom_kills, 0);
  const RunResult with = RunBallast(SmallWorld(Seconds(1800), {Grower("a", 4 * kGiB)}));
  EXPECT_EQ(with.measures.guest_oom_kills, 0);
  EXPECT_EQ(with.measures.starved, Nanos{});
  EXPECT_THAT(with.log, Contains(HasSubstr("[rule 9]")));
}

TEST(PluggedWorld, GetsAllOfItBack) {
  const RunResult result = RunBallast(SmallWorld(Seconds(1800), {Grower("a", 4 * kGiB)}));
  EXPECT_THAT(result.log, Contains(HasSubstr("-> 0B, because the guest has not needed it for long")));
  EXPECT_LE(result.samples.back().guests_size, kGiB);
}

// What is available falls while memory leaves, and for a moment afterwards; its programs eat none of that.
TEST(PluggedWorld, DoesNotTakeWhatLeavesForConsumption) {
  GuestPlan guest = QuietGuest("a", 512 * kMiB, 200 * kMiB);
  guest.device.plug_bytes = 4 * kGiB;
  const WorldPlan plan = SmallWorld(Seconds(60), {guest});
  policy::GuestReading reading;
  reading.total_bytes = 640 * kMiB;
  reading.available_bytes = reading.free_bytes = 300 * kMiB;
  reading.consumption_bytes_per_second = 400 * kMiB;
  reading.blocks = policy::BlockReading{};
  GuestSight seen;
  seen.plan = &plan.guests[0];
  seen.plugged_bytes = 128 * kMiB;
  const auto plugs_after_shrinking = [&](Nanos since) {
    BallastController controller(plan);
    std::vector<Command> commands;
    WorldSight sight{kWorldBegan, {16 * kGiB, 8 * kGiB}, {seen}};
    controller.Look(sight, commands);  // it is leaving
    commands.clear();
    sight.now = kWorldBegan + since;
    sight.guests[0].plug_requested_bytes = 128 * kMiB;
    sight.guests[0].report = Sampled<policy::GuestReading>{reading, sight.now};
    controller.Look(sight, commands);
    return !commands.empty() && commands[0].plug_bytes > 128 * kMiB;
  };
  EXPECT_FALSE(plugs_after_shrinking(Milliseconds(2900)));
  EXPECT_TRUE(plugs_after_shrinking(Milliseconds(3100)));
}

TEST(PluggedWorld, StopsAskingForWhatDoesNotLeave) {
  WorldPlan plan = SmallWorld(Seconds(1800), {Grower("a", 4 * kGiB)});
  plan.guests[0].device.plug_stays_permyriad = 5000;
  const RunResult result = RunBallast(plan);
  EXPECT_EQ(result.measures.guest_oom_kills, 0);
  EXPECT_THAT(result.log, Contains(HasSubstr("the guest does not let it go")));
  EXPECT_GT(result.samples.back().guests_resident, 0);
}

TEST(PluggedWorld, PlugsNothingThatTheHostDoesNotHave) {
  WorldPlan plan = SmallWorld(Seconds(1800), {Grower("a", 4 * kGiB), Grower("b", 4 * kGiB)});
  plan.host = Host(5 * kGiB, kGiB);
  const RunResult result = RunBallast(plan);
  EXPECT_EQ(result.measures.host_oom_kills, 0);
  EXPECT_EQ(result.measures.host_swapping, Nanos{});
  EXPECT_GT(result.measures.guest_oom_kills, 0) << "there is not enough for both";
}

TEST(PluggedWorld, IsWhatItWasForGuestsThatCannotBePlugged) {
  const RunResult result = RunBallast(SmallWorld(Seconds(1800), {Grower("a", 0)}));
  EXPECT_THAT(result.log, Not(Contains(HasSubstr("plug"))));
}

}  // namespace
}  // namespace ballast::sim
