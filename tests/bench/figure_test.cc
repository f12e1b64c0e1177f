#include "tests/bench/figure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ballast::bench {
namespace {

TEST(Percentile, IsTheNearestRank) {
  std::vector<double> samples;
  for (int i = 100; i >= 1; --i) samples.push_back(i);
  EXPECT_EQ(Percentile(samples, 0.5), 50);
  EXPECT_EQ(Percentile(samples, 0.99), 99);
  EXPECT_EQ(Percentile(samples, 1), 100);
  EXPECT_EQ(Percentile({7}, 0.99), 7);
}

TEST(TableOf, ShowsAMissedGoal) {
  EXPECT_THAT(TableOf({{"kills", 3, "kills", "0", false, "", "how"}}), ::testing::HasSubstr("NO"));
}

}  // namespace
}  // namespace ballast::bench
