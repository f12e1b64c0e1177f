// What the files of scenarios/ promise of Ballast, held to it with three seeds each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host-bridge/lab/report/measures.h"
#include "host-bridge/lab/scenario/scenario.h"
#include "host-bridge/lab/world/ballast_controller.h"
#include "host-bridge/lab/world/run.h"
#include "tests/host-bridge/lab/scenario/scenario_files.h"

namespace ballast::sim {
namespace {

class ExpectationsTest : public testing::TestWithParam<ScenarioFile> {};

INSTANTIATE_TEST_SUITE_P(Scenarios, ExpectationsTest, testing::ValuesIn(ScenarioFiles()),
                         [](const auto& row) {
                           std::string name = row.param.name;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_P(ExpectationsTest, AreMetByBallast) {
  const auto scenario = ReadScenario(GetParam().name + ".scenario", GetParam().text);
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  std::vector<WorldResult> worlds;
  for (const uint64_t seed : {1u, 2u, 3u}) {
    const WorldPlan plan = scenario->Plan(seed);
    worlds.push_back({seed, plan.length, sim::Run(plan, Ballast()).measures});
  }
  for (const Judgement& judgement : JudgeExpectations(scenario->expectations(), worlds)) {
    EXPECT_TRUE(judgement.kept()) << TextOf(judgement);
  }
}

}  // namespace
}  // namespace ballast::sim
