#include "host-bridge/vmm/qmp/backoff.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace ballast::vmm::qmp {
namespace {

TEST(BackoffDelay, DoublesUpToTheLimit) {
  const BackoffLimits limits{Milliseconds(100), Seconds(5)};
  for (uint32_t attempt = 0; attempt < 6; ++attempt) {
    const Nanos full = Milliseconds(100) * (int64_t{1} << attempt);
    EXPECT_LE(BackoffDelay("vm", attempt, limits), full);
    EXPECT_GE(BackoffDelay("vm", attempt, limits), full / 4 * 3);
  }
  EXPECT_LE(BackoffDelay("vm", 4'000'000'000u, limits), Seconds(5));
  EXPECT_GE(BackoffDelay("vm", 4'000'000'000u, limits), Milliseconds(3750));
}

TEST(BackoffDelay, SpreadsVmsThatFailedTogether) {
  std::set<int64_t> delays;
  for (int i = 0; i < 100; ++i) delays.insert(BackoffDelay("vm" + std::to_string(i), 3, {}).count);
  EXPECT_GT(delays.size(), 50u);
}

TEST(BackoffDelay, IsTheSameForTheSameVm) { EXPECT_EQ(BackoffDelay("vm", 2, {}), BackoffDelay("vm", 2, {})); }

}  // namespace
}  // namespace ballast::vmm::qmp
