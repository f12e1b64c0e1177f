#include "host-bridge/lab/report/comparison.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "host-bridge/lab/report/text_report.h"
#include "host-bridge/lab/report/work_queue.h"
#include "tests/host-bridge/lab/report/fake_worlds.h"

namespace ballast::sim {
namespace {

// Different for every scenario, seed and controller.
RunResult TellTale(const WorldPlan& plan, const ControllerKind& kind, const RunOptions& options) {
  RunResult result = CalmRun(plan, options);
  result.measures.commands =
      static_cast<int64_t>(plan.seed * 100 + plan.scenario.size() * 10 + kind.name.size());
  return result;
}

Effort WithThreads(unsigned threads) {
  Effort effort;
  effort.first_seed = 7;
  effort.seeds = 5;
  effort.threads = threads;
  return effort;
}

TEST(WorkQueue, EachJobIsDoneOnce) {
  for (const unsigned threads : {1U, 3U, 50U}) {
    std::vector<std::atomic<int>> done(40);
    ForEach(done.size(), threads, [&](size_t job) { ++done[job]; });
    for (const auto& count : done) EXPECT_EQ(count, 1);
  }
}

TEST(WorkQueue, NoJobsIsDoneAtOnce) {
  ForEach(0, 4, [](size_t) { FAIL(); });
}

TEST(Comparison, EveryWorldStandsInItsPlace) {
  const auto comparison =
      Compare({MakeSubject("a"), MakeSubject("bb")}, {MakeContender("ballast", true), MakeContender("x")},
              WithThreads(2), TellTale);
  ASSERT_EQ(comparison.scenarios.size(), 2u);
  const ScenarioStandings& second = comparison.scenarios[1];
  EXPECT_EQ(second.name, "bb");
  EXPECT_EQ(second.guests, 4);
  EXPECT_EQ(second.length, Seconds(3600));
  ASSERT_EQ(second.standings.size(), 2u);
  EXPECT_TRUE(second.standings[0].ours);
  ASSERT_EQ(second.standings[1].worlds.size(), 5u);
  EXPECT_EQ(second.standings[1].worlds[3].seed, 10u);
  EXPECT_EQ(second.standings[1].worlds[3].measures.commands, 10 * 100 + 2 * 10 + 1);
}

TEST(Comparison, ThreadsChangeNothing) {
  const std::vector<Subject> subjects = {MakeSubject("a"), MakeSubject("bb"), MakeSubject("ccc")};
  const std::vector<Contender> contenders = {MakeContender("ballast", true), MakeContender("x"),
                                             MakeContender("yy")};
  Report one;
  one.comparison = Compare(subjects, contenders, WithThreads(1), TellTale);
  Report many;
  many.comparison = Compare(subjects, contenders, WithThreads(8), TellTale);
  EXPECT_EQ(TextOf(one), TextOf(many));
}

TEST(Comparison, ProgressReachesTheEnd) {
  Effort effort = WithThreads(3);
  std::vector<size_t> seen;
  effort.progress = [&](size_t done, size_t total) {
    EXPECT_EQ(total, 10u);
    seen.push_back(done);
  };
  (void)Compare({MakeSubject("a")}, {MakeContender("ballast", true), MakeContender("x")}, effort, TellTale);
  EXPECT_EQ(seen, (std::vector<size_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
}

}  // namespace
}  // namespace ballast::sim
