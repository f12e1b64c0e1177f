#include "host-bridge/lab/report/text_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "host-bridge/lab/report/summary.h"
#include "tests/host-bridge/lab/report/fake_worlds.h"

namespace ballast::sim {
namespace {

using testing::HasSubstr;

RunResult Heavy(const WorldPlan& plan, const ControllerKind&, const RunOptions& options) {
  RunResult result = CalmRun(plan, options);
  result.measures.guest_oom_kills = 123;
  result.measures.kills_with_headroom = 123;
  result.measures.host_oom_kills = 12;
  result.measures.starved = Seconds(12345);
  result.measures.starved_by_us = Seconds(12345);
  result.measures.stalled = Seconds(1234);
  result.measures.host_swapping = Seconds(1234);
  result.measures.reversals = 1234;
  result.measures.bytes_taken = 1000 * kGiB;
  result.measures.bytes_given = 1000 * kGiB;
  result.measures.commands = 4 * 1234;
  return result;
}

Report HeavyReport() {
  Effort effort;
  effort.seeds = 100;
  Report report;
  report.command_line = "ballast-lab compare --seeds 100";
  const std::vector<Contender> contenders = {MakeContender("ballast", true),
                                             MakeContender("ballast-no-reporting", true),
                                             MakeContender("deflate-on-oom-only")};
  report.comparison = Compare({MakeSubject("burst"), MakeSubject("idle")}, contenders, effort, Heavy);
  report.comparison.scenarios[0].title = std::string(50, 'x') + " " + std::string(90, 'y');
  return report;
}

TEST(TextReport, FitsIn120ColumnsAlsoWithLargeNumbers) {
  std::istringstream lines(TextOf(HeavyReport()));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 120u) << line;
}

TEST(TextReport, AlignsColumns) {
  const Table table{{"", "OOM"},
                    {"controller", "kills"},
                    {false, true},
                    {{{"ballast", "0"}, true}, {{"x", "1,234"}, false}}};
  EXPECT_EQ(TextOf(table),
            "              OOM\n"
            "controller  kills\n"
            "ballast         0\n"
            "x           1,234\n\n");
}

TEST(TextReport, HasTablesVerdictsAndDefinitions) {
  const std::string text = TextOf(HeavyReport());
  for (const char* part : {"burst\n=====", "All scenarios together", "Verdict", "What the columns mean",
                           "100 worlds (seeds 1 to 100) of 4 guests on a host of 16.0 GiB, 60 min each"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(Wrapped, BreaksAtBlanksAndKeepsLongWords) {
  EXPECT_EQ(Wrapped("a b", "  "), "  a b\n");
  const std::string word(130, 'w');
  EXPECT_EQ(Wrapped("a " + word + " b"), "a\n" + word + "\nb\n");
  EXPECT_EQ(Wrapped(word + " b", "  ", "  "), "  " + word + "\n    b\n");
  EXPECT_EQ(Wrapped(""), "");
}

TEST(Summary, RatesAreOfSumsAndPercentilesOfWorlds) {
  std::vector<WorldResult> worlds;
  for (int i = 1; i <= 100; ++i) {
    WorldResult world{static_cast<uint64_t>(i), Seconds(1800), {}};
    world.measures.guest_time = Seconds(3600);
    world.measures.stalled = Seconds(i);
    world.measures.guest_oom_kills = i > 90 ? 2 : 0;
    world.measures.resident_byte_seconds = 1800.0 * kGiB * i;
    world.measures.used_byte_seconds = 1800.0 * kGiB;
    world.measures.host_peak_bytes = i;
    worlds.push_back(world);
  }
  const Summary summary = Summarize(worlds);
  EXPECT_EQ(summary.total.guest_oom_kills, 20);
  EXPECT_EQ(summary.worlds_with_kills, 10u);
  EXPECT_DOUBLE_EQ(summary.stall_seconds_per_guest_hour.overall, 50.5);
  EXPECT_DOUBLE_EQ(summary.stall_seconds_per_guest_hour.p50, 50);
  EXPECT_DOUBLE_EQ(summary.stall_seconds_per_guest_hour.p99, 99);
  EXPECT_DOUBLE_EQ(summary.amplification.overall, 50.5);
  EXPECT_DOUBLE_EQ(summary.mean_resident_bytes, 50.5 * kGiB);
  EXPECT_EQ(summary.total.host_peak_bytes, 100);
}

TEST(Summary, OfNoWorldsHasNoInfiniteRates) {
  const Summary summary = Summarize({});
  for (const Column& column : Columns()) EXPECT_TRUE(column.text(summary).starts_with("0")) << column.top;
}

}  // namespace
}  // namespace ballast::sim
