// The generator against the public trace it is fitted to (host-bridge/lab/scenario/workloads/idle_heavy.h).
#include "host-bridge/lab/scenario/workloads/idle_heavy.h"

#include <gtest/gtest.h>

#include "tests/host-bridge/lab/scenario/reading.h"

namespace ballast::sim {
namespace {

constexpr int64_t kBoot = 2 * kGiB;
constexpr Nanos kThirtyDays = Seconds(int64_t{30} * 24 * 3600);

// Used memory in percent of 2 GiB, every five minutes of thirty days: as long as the trace.
std::vector<double> PercentsOf(uint64_t seed) {
  const auto workload = MakeIdleHeavy(IdleHeavy(), kBoot, Random(seed));
  std::vector<double> percents;
  for (const Segment& segment : SegmentsOf(*workload, kThirtyDays)) {
    percents.push_back(100.0 * static_cast<double>(segment.anon_bytes) / static_cast<double>(kBoot));
  }
  return percents;
}

std::vector<double> StepsOf(const std::vector<double>& values) {
  std::vector<double> steps;
  for (size_t i = 1; i < values.size(); ++i) steps.push_back(values[i] - values[i - 1]);
  return steps;
}

double AutocorrelationOf(const std::vector<double>& values) {
  double mean = 0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  double both = 0;
  double variance = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    variance += (values[i] - mean) * (values[i] - mean);
    if (i > 0) both += (values[i] - mean) * (values[i - 1] - mean);
  }
  return both / variance;
}

// The mean of a figure over some thirty-day runs: one run's rare jobs vary.
double MeanOver(double (*figure)(const std::vector<double>&)) {
  constexpr int kRuns = 8;
  double sum = 0;
  for (int seed = 0; seed < kRuns; ++seed) sum += figure(PercentsOf(static_cast<uint64_t>(seed)));
  return sum / kRuns;
}

TEST(IdleHeavyTest, LevelsFitTheTrace) {
  EXPECT_NEAR(MeanOver([](const auto& p) { return QuantileOf(p, 0.5); }), 5.4, 0.2);
  EXPECT_NEAR(MeanOver([](const auto& p) { return QuantileOf(p, 0.9); }), 7.5, 0.4);
  EXPECT_NEAR(MeanOver([](const auto& p) { return QuantileOf(p, 0.99); }), 19.9, 2.5);
  EXPECT_NEAR(MeanOver([](const auto& p) { return QuantileOf(p, 1); }), 40.3, 3);
}

TEST(IdleHeavyTest, StepsFitTheTrace) {
  EXPECT_NEAR(MeanOver([](const auto& p) { return QuantileOf(StepsOf(p), 0.99); }), 8.8, 2);
  EXPECT_NEAR(MeanOver([](const auto& p) { return QuantileOf(StepsOf(p), 1); }), 33, 4);
  EXPECT_NEAR(MeanOver(AutocorrelationOf), 0.47, 0.05);
}

TEST(IdleHeavyTest, ColdFilesGrowSlowly) {
  const Segment first = MakeIdleHeavy(IdleHeavy(), kBoot, Random(1))->Next();
  EXPECT_GT(first.cold_reads_bytes_per_second, 0);
  // Within a day less than the guest's memory, so that the growth is seen as growth.
  EXPECT_LT(first.cold_reads_bytes_per_second * 24 * 3600, kBoot);
}

}  // namespace
}  // namespace ballast::sim
