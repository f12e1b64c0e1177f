#include "host-bridge/lab/scenario/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace ballast::sim {
namespace {

std::vector<double> Draw(int count, double (*draw)(Random&)) {
  Random random(7);
  std::vector<double> drawn;
  for (int i = 0; i < count; ++i) drawn.push_back(draw(random));
  return drawn;
}

double MeanOf(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double DeviationOf(const std::vector<double>& values) {
  const double mean = MeanOf(values);
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return std::sqrt(sum / static_cast<double>(values.size()));
}

double QuantileOf(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(share * static_cast<double>(values.size()))];
}

TEST(RandomTest, TheSameSeedGivesTheNumbersOfTheReferenceForEver) {
  // xoshiro256** from the four words splitmix64 makes of seed 0; the words are in the literature.
  Random random(0);
  EXPECT_EQ(random.Bits(), 0x99ec5f36cb75f2b4u);
  EXPECT_EQ(random.Bits(), 0xbf6e1f784956452au);
  EXPECT_EQ(random.Bits(), 0x1a5f849d4933e6e0u);
}

TEST(RandomTest, StreamsDifferByNameIndexAndSeed) {
  const uint64_t bits = Random::For(1, "web", 0).Bits();
  EXPECT_EQ(Random::For(1, "web", 0).Bits(), bits);
  EXPECT_NE(Random::For(2, "web", 0).Bits(), bits);
  EXPECT_NE(Random::For(1, "web", 1).Bits(), bits);
  EXPECT_NE(Random::For(1, "wec", 0).Bits(), bits);
}

TEST(RandomTest, ACopyGoesOnByItself) {
  Random first(3);
  Random second = first;
  EXPECT_EQ(first.Bits(), second.Bits());
  static_cast<void>(first.Bits());
  Random third(3);
  static_cast<void>(third.Bits());
  EXPECT_EQ(second.Bits(), third.Bits());
}

TEST(RandomTest, UniformCoversItsRange) {
  const auto drawn = Draw(100'000, [](Random& r) { return r.Uniform(); });
  EXPECT_NEAR(MeanOf(drawn), 0.5, 0.005);
  EXPECT_NEAR(DeviationOf(drawn), 0.2887, 0.005);
  EXPECT_GE(*std::min_element(drawn.begin(), drawn.end()), 0);
  EXPECT_LT(*std::max_element(drawn.begin(), drawn.end()), 1);
}

TEST(RandomTest, NormalHasMeanZeroAndDeviationOne) {
  const auto drawn = Draw(100'000, [](Random& r) { return r.Normal(); });
  EXPECT_NEAR(MeanOf(drawn), 0, 0.02);
  EXPECT_NEAR(DeviationOf(drawn), 1, 0.02);
  EXPECT_NEAR(QuantileOf(drawn, 0.975), 1.96, 0.05);
}

TEST(RandomTest, LogNormalHasItsMedianAndSpread) {
  const auto drawn = Draw(100'000, [](Random& r) { return r.LogNormal(8, 0.5); });
  EXPECT_NEAR(QuantileOf(drawn, 0.5), 8, 0.1);
  EXPECT_NEAR(QuantileOf(drawn, 0.975), 8 * std::exp(0.5 * 1.96), 0.6);
}

TEST(RandomTest, ExponentialAndPoissonHaveTheirMeans) {
  const auto waits = Draw(100'000, [](Random& r) { return r.Exponential(30); });
  EXPECT_NEAR(MeanOf(waits), 30, 0.5);
  EXPECT_NEAR(QuantileOf(waits, 0.5), 30 * std::log(2), 0.5);
  const auto counts = Draw(50'000, [](Random& r) { return static_cast<double>(r.Poisson(7.3)); });
  EXPECT_NEAR(MeanOf(counts), 7.3, 0.1);
  EXPECT_NEAR(DeviationOf(counts), std::sqrt(7.3), 0.1);
}

TEST(RandomTest, BurrAndParetoHaveTheirQuantiles) {
  const auto burr = Draw(100'000, [](Random& r) { return r.Burr(8.563, 0.221, 118.5); });
  EXPECT_NEAR(QuantileOf(burr, 0.5), 118.5 * std::pow(std::pow(2, 1 / 0.221) - 1, 1 / 8.563), 3);
  EXPECT_NEAR(QuantileOf(burr, 0.9), 118.5 * std::pow(std::pow(10, 1 / 0.221) - 1, 1 / 8.563), 10);
  const auto pareto = Draw(100'000, [](Random& r) { return r.Pareto(20, 1.18); });
  EXPECT_NEAR(QuantileOf(pareto, 0.5), 20 * std::pow(2, 1 / 1.18), 0.5);
  EXPECT_GE(*std::min_element(pareto.begin(), pareto.end()), 20);
}

TEST(RandomTest, RangesIncludeTheirEndsAndMagnitudesAreEquallyLikely) {
  Random random(5);
  int below_two = 0;
  for (int i = 0; i < 10'000; ++i) {
    const int64_t drawn = random.InByMagnitude({100, 400});
    ASSERT_GE(drawn, 100);
    ASSERT_LE(drawn, 400);
    below_two += drawn < 200 ? 1 : 0;
  }
  EXPECT_NEAR(below_two, 5000, 200);
  EXPECT_EQ(random.In(Between<int64_t>{5, 5}), 5);
  EXPECT_EQ(random.In(Between<Nanos>{Seconds(2), Seconds(2)}), Seconds(2));
}

TEST(RandomTest, TimesAlwaysHaveALengthAndNeverOverflow) {
  EXPECT_EQ(BoundedTime(0), Milliseconds(1));
  EXPECT_EQ(BoundedTime(-3), Milliseconds(1));
  EXPECT_EQ(BoundedTime(std::nan("")), Milliseconds(1));
  EXPECT_EQ(BoundedTime(1.5), Milliseconds(1500));
  EXPECT_EQ(BoundedTime(1e300), Seconds(int64_t{400} * 24 * 3600));
}

}  // namespace
}  // namespace ballast::sim
