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
