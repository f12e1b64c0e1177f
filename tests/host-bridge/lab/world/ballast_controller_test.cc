// Ballast in the simulator, end to end: the same Decide() the bridge calls, against the model.
#include "host-bridge/lab/world/ballast_controller.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "host-bridge/lab/world/static_sizes.h"
#include "tests/host-bridge/lab/world/small_world.h"

namespace ballast::sim {
namespace {

// Squeezed by a host that is short, then 2 GiB at 500 MiB/s when the host has memory again.
WorldPlan BurstAfterASqueeze() {
  WorldPlan plan = SmallWorld(
      Seconds(900), {QuietGuest("burst", 4 * kGiB, 300 * kMiB), QuietGuest("calm", 4 * kGiB, 300 * kMiB)});
  plan.guests[0].workload =
      Script({{.length = Seconds(60), .anon_bytes = 2'500 * kMiB},
              {.length = Seconds(540), .anon_bytes = 300 * kMiB},
              {.length = Seconds(300), .anon_bytes = 2'300 * kMiB, .anon_bytes_per_second = 500 * kMiB}});
  plan.host = Host(16 * kGiB, 2 * kGiB, 8 * kGiB);
  plan.host.events = {{HostEvent::Kind::kPressure, Seconds(100), Seconds(480), 12 * kGiB}};
  return plan;
}

TEST(BallastController, TakesForAShortHostAndGivesToABurst) {
  const WorldPlan plan = BurstAfterASqueeze();
  const RunResult result = sim::Run(plan, Ballast(), {.sample_every = Seconds(10)});
  EXPECT_EQ(result.measures.guest_oom_kills, 0);
  EXPECT_EQ(result.measures.host_oom_kills, 0);
  EXPECT_EQ(result.measures.starved_by_us, Nanos{});
  EXPECT_GT(result.measures.bytes_taken, kGiB);
  EXPECT_GT(result.measures.bytes_given, kGiB);
  EXPECT_LT(result.samples[55].guest_size[0], 2 * kGiB);
  EXPECT_GT(result.samples[70].guest_size[0], 2'400 * kMiB);
  ASSERT_FALSE(result.log.empty());
  EXPECT_NE(result.log[0].find("because"), std::string::npos);
  EXPECT_NE(result.log[0].find(" s  "), std::string::npos);
  // The same squeeze with nobody to give it back: the fuse of the device holds, at the price of a stall.
  const auto squeeze = SetOnceAt(Seconds(120), 3'400 * kMiB);
  const Measures left_alone = sim::Run(plan, FunctionController(squeeze)).measures;
  EXPECT_GT(left_alone.stalled, result.measures.stalled + Seconds(1));
}

TEST(BallastController, SaysNothingUnlessAskedTo) {
  EXPECT_TRUE(sim::Run(BurstAfterASqueeze(), Ballast()).log.empty());
}

TEST(BallastController, TheSameWorldTwiceIsTheSameToTheLastByte) {
  const WorldPlan plan = BurstAfterASqueeze();
  const RunResult first = sim::Run(plan, Ballast(), {.sample_every = Seconds(5)});
  const RunResult second = sim::Run(plan, Ballast(), {.sample_every = Seconds(5)});
  EXPECT_EQ(first.log, second.log);
  EXPECT_EQ(first.measures.resident_byte_seconds, second.measures.resident_byte_seconds);
  EXPECT_EQ(first.measures.used_byte_seconds, second.measures.used_byte_seconds);
  EXPECT_EQ(first.measures.stalled, second.measures.stalled);
  EXPECT_EQ(first.measures.commands, second.measures.commands);
}

// Samples each 10 ms cut every step of the world as fine as that.
TEST(BallastController, AFinerWorldEndsTheSame) {
  WorldPlan plan = BurstAfterASqueeze();
  const Measures chosen = sim::Run(plan, Ballast()).measures;
  const Measures fine = sim::Run(plan, Ballast(), {.sample_every = Milliseconds(10)}).measures;
  EXPECT_EQ(chosen.guest_oom_kills, fine.guest_oom_kills);
  EXPECT_EQ(chosen.guest_time, fine.guest_time);
  EXPECT_NEAR(chosen.resident_byte_seconds, fine.resident_byte_seconds, 0.02 * fine.resident_byte_seconds);
  EXPECT_NEAR(chosen.used_byte_seconds, fine.used_byte_seconds, 0.01 * fine.used_byte_seconds);
  EXPECT_NEAR(chosen.bytes_taken, fine.bytes_taken, 0.05 * static_cast<double>(fine.bytes_taken));
  EXPECT_NEAR(chosen.stalled.count * 1e-9, fine.stalled.count * 1e-9, 0.5);
  EXPECT_NEAR(static_cast<double>(chosen.starved.count) * 1e-9,
              static_cast<double>(fine.starved.count) * 1e-9, 0.5);
}

// Rule 12: the target survived the reset, and the new driver would obey it.
TEST(BallastController, AResetGuestDoesNotBootIntoItsOldTarget) {
  WorldPlan plan = BurstAfterASqueeze();
  plan.guests[0].events = {{GuestEvent::Kind::kReset, Seconds(400), Seconds(1), 0}};
  const RunResult result = sim::Run(plan, Ballast(), {.sample_every = Seconds(1)});
  EXPECT_LT(result.samples[395].guest_size[0], 2 * kGiB);
  EXPECT_GT(result.samples[404].guest_size[0], 3 * kGiB);
  EXPECT_EQ(result.measures.guest_oom_kills, 0);
  const auto is_rule_12 = [](const std::string& line) { return line.find("[rule 12") != std::string::npos; };
  EXPECT_EQ(std::count_if(result.log.begin(), result.log.end(), is_rule_12), 1);
}

// Rule 2: a guest that went silent gets its baseline after the lease.
TEST(BallastController, ASilentGuestGetsItsBaseline) {
  WorldPlan plan = BurstAfterASqueeze();
  plan.host.events = {{HostEvent::Kind::kPressure, Seconds(100), Seconds(300), 12 * kGiB}};
  plan.guests[1].events = {{GuestEvent::Kind::kAgentSilent, Seconds(420), Seconds(200), 0}};
  const RunResult result = sim::Run(plan, Ballast(), {.sample_every = Seconds(1)});
  EXPECT_LT(result.samples[415].guest_size[1], 3 * kGiB);
  EXPECT_EQ(result.samples[480].guest_size[1], 4 * kGiB);
}

// What was commanded before a VMM fell silent is void: it may never have arrived.
TEST(BallastController, AVmmThatAnswersAgainIsReadAnew) {
  const WorldPlan plan = SmallWorld(Seconds(1), {QuietGuest("a", 8 * kGiB, kGiB)});
  BallastController ballast(plan);
  WorldSight sight;
  sight.host = {.total_bytes = 16 * kGiB, .available_bytes = kGiB};  // short by its reserve
  sight.guests.resize(1);
  GuestSight& guest = sight.guests[0];
  guest.plan = &plan.guests[0];
  const auto look = [&](int64_t second, bool answers) {
    sight.now = kWorldBegan + Seconds(second);
    guest.vmm_answers = answers;
    const policy::GuestReading reading{
        .total_bytes = 7 * kGiB, .available_bytes = 6 * kGiB, .free_bytes = 6 * kGiB};
    guest.report = {reading, sight.now};
    std::vector<Command> commands;
    ballast.Look(sight, commands);
    return commands;
  };
  const std::vector<Command> first = look(0, true);
  ASSERT_EQ(first.size(), 1u);
  EXPECT_GT(first[0].balloon_bytes, 0);
  EXPECT_FALSE(ballast.at_rest());
  EXPECT_TRUE(look(20, false).empty());
  const std::vector<Command> again = look(40, true);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].balloon_bytes, first[0].balloon_bytes);
}

TEST(BallastController, ComesToRestInAQuietWorld) {
  const WorldPlan plan = SmallWorld(
      Seconds(4 * 3'600), {QuietGuest("a", 4 * kGiB, 300 * kMiB), QuietGuest("b", 4 * kGiB, 300 * kMiB)});
  const RunResult result = sim::Run(plan, Ballast(), {.sample_every = Seconds(600)});
  EXPECT_EQ(result.measures.reversals, 0);
  EXPECT_EQ(result.samples.back().commands, 0);
  EXPECT_EQ(result.measures.stalled, Nanos{});
}

TEST(BallastController, KindsDifferInTheirDevices) {
  EXPECT_TRUE(Ballast().device.deflate_on_oom && Ballast().device.free_page_reporting);
  EXPECT_TRUE(BallastWithoutReporting().device.deflate_on_oom);
  EXPECT_FALSE(BallastWithoutReporting().device.free_page_reporting);
  EXPECT_FALSE(BallastWithoutDeflate().device.deflate_on_oom);
  EXPECT_TRUE(BallastWithoutDeflate().device.free_page_reporting);
  EXPECT_FALSE(StaticSizes().device.free_page_reporting);
  EXPECT_NE(Ballast().name, BallastWithoutReporting().name);
}

}  // namespace
}  // namespace ballast::sim
