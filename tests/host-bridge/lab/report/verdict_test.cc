#include "host-bridge/lab/report/verdict.h"

#include <gtest/gtest.h>

#include "host-bridge/lab/report/report.h"
#include "tests/host-bridge/lab/report/fake_worlds.h"

namespace ballast::sim {
namespace {

Standing MakeStanding(const std::string& name, bool ours, int64_t kills, Nanos stalled, double resident_gib) {
  WorldResult world{1, Seconds(3600), {}};
  world.measures.guest_oom_kills = kills;
  world.measures.stalled = stalled;
  world.measures.guest_time = Seconds(3600);
  world.measures.resident_byte_seconds = resident_gib * kGiB * 3600;
  return {name, ours, {world}};
}

Comparison With(std::vector<Standing> rivals) {
  Comparison comparison{1, 1, {}, {}};
  ScenarioStandings scenario{"burst", "", {}, 1, Seconds(3600), 8 * kGiB, {}};
  scenario.standings.push_back(MakeStanding("ballast", true, 2, Seconds(10), 4));
  for (Standing& rival : rivals) scenario.standings.push_back(std::move(rival));
  comparison.scenarios.push_back(scenario);
  return comparison;
}

TEST(Verdict, ARivalWithFewerKillsAtEqualDensityIsNamed) {
  const auto comparison = With({MakeStanding("oracle", false, 0, Seconds(10), 4.08)});
  const Verdicts verdicts = Judge(comparison);
  ASSERT_EQ(verdicts.at_equal_density.size(), 1u);
  EXPECT_TRUE(verdicts.with_more_memory.empty());
  EXPECT_TRUE(verdicts.at_equal_density[0].fewer_kills);
  EXPECT_FALSE(verdicts.at_equal_density[0].less_stall);
}

TEST(Verdict, ALineShowsKillsStallAndMemoryOfAll) {
  const auto comparison = With(
      {MakeStanding("oracle", false, 0, Seconds(10), 4.08), MakeStanding("vm0", false, 1, Seconds(70), 3)});
  EXPECT_EQ(LinesOf(Judge(comparison).at_equal_density),
            std::vector<std::string>{
                "burst (Ballast 2 kills, 10.0 s/h, 4.0 GiB): oracle 0 kills, 10.0 s/h, 4.1 GiB; "
                "vm0 1 kill, 70.0 s/h, 3.0 GiB"});
}

TEST(Verdict, OneThatHoldsMoreMemoryGoesToTheSecondList) {
  const auto verdicts = Judge(With({MakeStanding("static", false, 0, {}, 4.09)}));
  EXPECT_TRUE(verdicts.at_equal_density.empty());
  ASSERT_EQ(verdicts.with_more_memory.size(), 1u);
  EXPECT_TRUE(verdicts.with_more_memory[0].fewer_kills);
  EXPECT_TRUE(verdicts.with_more_memory[0].less_stall);
}

TEST(Verdict, LostVmsCountAsKills) {
  Standing rival = MakeStanding("x", false, 0, Seconds(10), 4);
  rival.worlds[0].measures.host_oom_kills = 2;
  EXPECT_TRUE(Judge(With({rival})).at_equal_density.empty());
}

TEST(Verdict, LessStallIsLessAtThePrecisionShown) {
  EXPECT_TRUE(
      Judge(With({MakeStanding("x", false, 2, Seconds(10) - Milliseconds(3), 4)})).at_equal_density.empty());
  EXPECT_EQ(Judge(With({MakeStanding("x", false, 2, Milliseconds(9900), 4)})).at_equal_density.size(), 1u);
}

TEST(Verdict, EqualAndWorseRivalsAndOurOwnVariantsAreNotListed) {
  const auto verdicts = Judge(
      With({MakeStanding("equal", false, 2, Seconds(10), 4), MakeStanding("worse", false, 3, Seconds(11), 4),
            MakeStanding("ballast-bare", true, 0, {}, 4)}));
  EXPECT_TRUE(verdicts.at_equal_density.empty());
  EXPECT_TRUE(verdicts.with_more_memory.empty());
}

TEST(Verdict, ListsSayNoneWhenThereIsNone) {
  const auto comparison = With({});
  for (const VerdictList& list : ListsOf(comparison, Judge(comparison))) {
    EXPECT_EQ(list.lines, std::vector<std::string>{"none"}) << list.heading;
  }
}

TEST(Verdict, MissedPromisesAreNamedWithTheirScenario) {
  Comparison comparison = With({});
  comparison.scenarios[0].expectations = {{"guest_oom_kills", Expectation::Relation::kAtMost, 1},
                                          {"host_oom_kills", Expectation::Relation::kAtMost, 0}};
  EXPECT_EQ(MissedExpectations(comparison),
            std::vector<std::string>{"burst: guest_oom_kills at most 1: MISSED, worst 2, first with seed 1"});
}

}  // namespace
}  // namespace ballast::sim
