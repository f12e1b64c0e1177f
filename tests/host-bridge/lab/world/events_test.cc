// Each thing that may happen to a guest or the host, as a controller sees it.
#include <gtest/gtest.h>

#include <map>

#include "host-bridge/lab/world/static_sizes.h"
#include "tests/host-bridge/lab/world/small_world.h"

namespace ballast::sim {
namespace {

using Kind = GuestEvent::Kind;

// The first guest as it was seen at each second of 120, event-driven and never at rest; at 10 s its balloon
// is set.
std::map<int64_t, GuestSight> Watch(const WorldPlan& plan, int64_t balloon_bytes = 0) {
  std::map<int64_t, GuestSight> seen;
  const auto look = [&](const WorldSight& sight, std::vector<Command>& commands) {
    if (TimeOf(sight).count % Seconds(1).count != 0) return;
    const int64_t second = TimeOf(sight).count / Seconds(1).count;
    seen[second] = sight.guests[0];
    if (second == 10 && balloon_bytes > 0) commands.push_back({0, balloon_bytes});
  };
  (void)sim::Run(plan, FunctionController(look, {.event_driven = true}));
  return seen;
}

WorldPlan WorldWith(const GuestEvent& event) {
  WorldPlan plan = SmallWorld(Seconds(120), {QuietGuest("a", kGiB, 300 * kMiB)});
  plan.guests[0].events = {event};
  return plan;
}

TEST(GuestEvents, APausedGuestNeitherSpeaksNorMoves) {
  WorldPlan plan = WorldWith({Kind::kPause, Seconds(30), Seconds(40), 0});
  plan.guests[0].workload = Script({{.length = Seconds(50), .anon_bytes = 300 * kMiB},
                                    {.length = Seconds(300), .anon_bytes = 500 * kMiB}});
  auto seen = Watch(plan);
  EXPECT_TRUE(seen[29].running);
  EXPECT_FALSE(seen[31].running);
  EXPECT_TRUE(seen[31].vmm_answers);
  EXPECT_EQ(seen[69].report->at, seen[31].report->at);
  EXPECT_EQ(seen[69].stats_at, seen[31].stats_at);
  EXPECT_TRUE(seen[71].running);
  // Its programs go on where they were: 20 s of the first segment were left.
  EXPECT_LT(seen[85].resident_bytes, 400 * kMiB);
  EXPECT_GT(seen[95].resident_bytes, 500 * kMiB);
  EXPECT_EQ(sim::Run(plan, StaticSizes()).measures.guest_time, Seconds(80));
}

TEST(GuestEvents, AResetIsToldOnceAndKeepsTheTarget) {
  auto seen = Watch(WorldWith({Kind::kReset, Milliseconds(30'500), Seconds(1), 0}), 200 * kMiB);
  EXPECT_EQ(seen[30].balloon_bytes, 200 * kMiB);
  int told = 0;
  for (const auto& [second, sight] : seen) told += sight.rebooted ? 1 : 0;
  EXPECT_LE(told, 1);
  EXPECT_EQ(seen[32].balloon_bytes, 0);
  EXPECT_EQ(seen[32].target_bytes, 200 * kMiB);
  EXPECT_EQ(seen[40].balloon_bytes, 200 * kMiB);  // the new driver obeys the old target
  // A controller at rest is woken for it.
  Nanos told_at;
  const auto look = [&](const WorldSight& sight, std::vector<Command>&) {
    if (sight.guests[0].rebooted) told_at = TimeOf(sight);
  };
  (void)sim::Run(WorldWith({Kind::kReset, Milliseconds(30'500), Seconds(1), 0}),
                 FunctionController(look, {.event_driven = true, .rests = true}));
  EXPECT_EQ(told_at, Milliseconds(30'500));
}

TEST(GuestEvents, ASilentAgentsReportGrowsOld) {
  auto seen = Watch(WorldWith({Kind::kAgentSilent, Seconds(25), Seconds(50), 0}));
  EXPECT_GE(seen[70].report->at, kWorldBegan + Seconds(15));
  EXPECT_LE(seen[70].report->at, kWorldBegan + Seconds(25));
  EXPECT_GT(seen[70].stats_at, kWorldBegan + Seconds(59));
  EXPECT_GT(seen[95].report->at, kWorldBegan + Seconds(75));
}

TEST(GuestEvents, ALyingAgentSaysWhatTheEventSays) {
  auto seen = Watch(WorldWith({Kind::kAgentLies, Seconds(25), Seconds(50), 900 * kGiB}));
  EXPECT_EQ(seen[70].report->value.available_bytes, seen[70].report->value.total_bytes);
  EXPECT_LT(seen[70].available_bytes, 700 * kMiB);  // the statistics of the balloon do not lie
  EXPECT_LT(seen[95].report->value.available_bytes, 700 * kMiB);
}

TEST(GuestEvents, SentinelsReadAsMinusOneAndNoReport) {
  auto seen = Watch(WorldWith({Kind::kStatsSentinel, Seconds(25), Seconds(50), 0}));
  EXPECT_GT(seen[24].available_bytes, 500 * kMiB);
  EXPECT_EQ(seen[70].available_bytes, -1);
  EXPECT_EQ(seen[70].total_bytes, -1);
  EXPECT_LE(seen[70].report->at, kWorldBegan + Seconds(25));
  EXPECT_GT(seen[95].available_bytes, 500 * kMiB);
}

TEST(GuestEvents, ASilentVmmShowsOldNumbersAndObeysNothing) {
  auto seen = Watch(WorldWith({Kind::kVmmSilent, Seconds(5), Seconds(50), 0}), 200 * kMiB);
  EXPECT_FALSE(seen[30].vmm_answers);
  EXPECT_TRUE(seen[60].vmm_answers);
  EXPECT_EQ(seen[100].target_bytes, 0);
  EXPECT_EQ(seen[100].balloon_bytes, 0);
}

TEST(GuestEvents, AStuckBalloonMovesWhenItIsFreed) {
  auto seen = Watch(WorldWith({Kind::kBalloonStuck, Seconds(5), Seconds(50), 0}), 200 * kMiB);
  EXPECT_EQ(seen[50].target_bytes, 200 * kMiB);
  EXPECT_EQ(seen[50].balloon_bytes, 0);
  EXPECT_EQ(seen[60].balloon_bytes, 200 * kMiB);
}

TEST(GuestEvents, PartialReliefGivesHalf) {
  const WorldPlan plan = WorldWith({Kind::kBalloonPartial, Seconds(20), Seconds(100), 0});
  int64_t balloon = -1;
  const auto look = [&](const WorldSight& sight, std::vector<Command>& commands) {
    if (TimeOf(sight) == Seconds(10)) commands.push_back({0, 200 * kMiB});
    if (TimeOf(sight) == Seconds(40)) commands.push_back({0, 0});
    balloon = sight.guests[0].balloon_bytes;
  };
  (void)sim::Run(plan, FunctionController(look));
  EXPECT_EQ(balloon, 100 * kMiB);
}

TEST(HostEvents, AfterASleepReportsComeFromTheFutureForTwoSeconds) {
  WorldPlan plan = SmallWorld(Seconds(120), {QuietGuest("a", kGiB, 300 * kMiB)});
  plan.host.events = {{HostEvent::Kind::kSleep, Milliseconds(29'500), Seconds(3'600), 0}};
  auto seen = Watch(plan);
  EXPECT_LE(seen[29].report->at, kWorldBegan + Seconds(29));
  EXPECT_EQ(seen[31].report->at, kWorldBegan + Seconds(3'630));
  EXPECT_LE(seen[45].report->at, kWorldBegan + Seconds(45));
}

TEST(HostEvents, OtherProcessesTakeMemoryForAWhile) {
  WorldPlan plan = SmallWorld(Seconds(120), {QuietGuest("a", kGiB, 300 * kMiB)});
  plan.host.events = {{HostEvent::Kind::kPressure, Seconds(30), Seconds(20), 10 * kGiB}};
  std::map<int64_t, int64_t> available;
  const auto look = [&](const WorldSight& sight, std::vector<Command>&) {
    available[TimeOf(sight).count / Seconds(1).count] = sight.host.available_bytes;
  };
  (void)sim::Run(plan, FunctionController(look));
  EXPECT_EQ(available[29] - available[31], 10 * kGiB);
  EXPECT_EQ(available[51], available[29]);
}

TEST(HostEvents, AShortHostSwapsAndThenKillsTheLargest) {
  WorldPlan plan = SmallWorld(Seconds(300),
                              {QuietGuest("small", 2 * kGiB, kGiB), QuietGuest("large", 4 * kGiB, 3 * kGiB)});
  plan.host = Host(8 * kGiB, kGiB, 2 * kGiB);
  plan.host.events = {{HostEvent::Kind::kPressure, Seconds(100), Seconds(10), 4 * kGiB},
                      {HostEvent::Kind::kPressure, Seconds(200), Seconds(10), 5'632 * kMiB}};
  std::map<int64_t, WorldSight> seen;
  const auto look = [&](const WorldSight& sight, std::vector<Command>&) {
    seen[TimeOf(sight).count / Seconds(1).count] = sight;
  };
  const Measures measures = sim::Run(plan, FunctionController(look)).measures;
  EXPECT_EQ(measures.host_oom_kills, 1);
  EXPECT_EQ(measures.host_swapping, Seconds(10));
  EXPECT_EQ(measures.guest_oom_kills, 0);
  EXPECT_GT(seen[105].host.swap_used_bytes, kGiB);
  EXPECT_GT(seen[105].host.some_permyriad, 1'000);
  EXPECT_GT(seen[109].host.some_avg10_permyriad, 1'000);
  EXPECT_TRUE(seen[205].guests[0].running);
  EXPECT_FALSE(seen[205].guests[1].running);
  EXPECT_FALSE(seen[205].guests[1].vmm_answers);
  EXPECT_EQ(seen[205].guests[1].resident_bytes, 0);
  EXPECT_FALSE(seen[259].guests[1].running);
  EXPECT_TRUE(seen[261].guests[1].running);
  EXPECT_TRUE(seen[260].guests[1].rebooted || seen[261].guests[1].rebooted);
  EXPECT_GT(seen[290].guests[1].resident_bytes, 3 * kGiB);  // the supervisor started its programs again too
}

}  // namespace
}  // namespace ballast::sim
