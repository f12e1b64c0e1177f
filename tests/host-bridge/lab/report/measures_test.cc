#include "host-bridge/lab/report/measures.h"

#include <gtest/gtest.h>

#include "host-bridge/lab/scenario/measure_list.h"

namespace ballast::sim {
namespace {

WorldResult World(uint64_t seed, int64_t kills) {
  WorldResult world{seed, Seconds(3600), {}};
  world.measures.guest_oom_kills = kills;
  return world;
}

TEST(Measures, EveryNameOfAScenarioHasAValue) {
  ASSERT_EQ(kMeasures.size(), MeasureValues().size());
  for (size_t i = 0; i < kMeasures.size(); ++i) EXPECT_EQ(kMeasures[i], MeasureValues()[i].name);
}

TEST(Measures, EachReadsItsOwnField) {
  Measures measures;
  measures.guest_oom_kills = 1;
  measures.kills_with_headroom = 2;
  measures.host_oom_kills = 3;
  measures.guest_time = Seconds(3600);
  measures.starved = Seconds(5);
  measures.starved_by_us = Seconds(6);
  measures.stalled = Seconds(36);
  measures.host_swapping = Seconds(8);
  measures.resident_byte_seconds = 90;
  measures.used_byte_seconds = 60;
  measures.host_peak_bytes = 11;
  measures.reversals = 12;
  measures.bytes_taken = 13;
  measures.bytes_given = 14;
  measures.commands = 15;
  const WorldResult world{1, Seconds(1800), measures};
  const std::vector<double> expected = {1, 2, 3, 5, 6, 36, 36, 8, 1.5, 0.05, 11, 12, 13, 14, 15};
  ASSERT_EQ(MeasureValues().size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_DOUBLE_EQ(MeasureValues()[i].of(world), expected[i]) << MeasureValues()[i].name;
  }
}

TEST(Measures, AWorldWithoutGuestsHasNoInfiniteShares) {
  const WorldResult world{1, Seconds(1), {}};
  for (const MeasureValue& measure : MeasureValues()) EXPECT_EQ(measure.of(world), 0) << measure.name;
}

TEST(Measures, APromiseNamesTheFirstSeedThatBreaksIt) {
  const std::vector<Expectation> expectations = {{"guest_oom_kills", Expectation::Relation::kAtMost, 0}};
  const auto judged = JudgeExpectations(expectations, {World(4, 0), World(5, 1), World(6, 3)});
  ASSERT_EQ(judged.size(), 1u);
  EXPECT_FALSE(judged[0].kept());
  EXPECT_EQ(TextOf(judged[0]), "guest_oom_kills at most 0: MISSED, worst 3, first with seed 5");
}

TEST(Measures, AtLeastIsTheOtherWayRound) {
  const std::vector<Expectation> expectations = {{"guest_oom_kills", Expectation::Relation::kAtLeast, 1}};
  EXPECT_EQ(TextOf(JudgeExpectations(expectations, {World(1, 2), World(2, 1)})[0]),
            "guest_oom_kills at least 1: kept, worst 1");
  EXPECT_EQ(JudgeExpectations(expectations, {World(1, 2), World(2, 0)})[0].first_failed_seed, 2u);
}

TEST(Measures, AnUnknownMeasureIsAMiss) {
  const auto judged = JudgeExpectations({{"joy", Expectation::Relation::kAtLeast, 1}}, {World(1, 0)});
  EXPECT_FALSE(judged[0].kept());
  EXPECT_EQ(TextOf(judged[0]), "joy: MISSED, no measure has this name");
}

}  // namespace
}  // namespace ballast::sim
