#include "host-bridge/vmm/qmp/dimm_address.h"

#include <gtest/gtest.h>

#include "common/base/units.h"

namespace ballast::vmm::qmp {
namespace {

constexpr int64_t kUnit = 128 * kMiB;

TEST(DimmAddress, IsQemusChoiceWhereAllBoundariesAreThoseOfBlocks) {
  EXPECT_EQ(DimmAddress({}, kUnit, kUnit), std::nullopt);
  EXPECT_EQ(DimmAddress({{4 * kGiB, kUnit}, {5 * kGiB, 3 * kUnit}}, kUnit, kUnit), std::nullopt);
}

TEST(DimmAddress, IsAfterWhatEndsWithinABlock) {
  EXPECT_EQ(DimmAddress({{4 * kGiB, 64 * kMiB}}, kUnit, kUnit), 4 * kGiB + kUnit);
  EXPECT_EQ(DimmAddress({{4 * kGiB, kUnit}}, 2 * kGiB, 2 * kGiB), 6 * kGiB)
      << "of a guest with larger blocks";
  EXPECT_EQ(DimmAddress({{4 * kGiB + 1, kUnit - 1}}, kUnit, kUnit), 4 * kGiB + kUnit);
}

TEST(DimmAddress, FillsTheFirstGapThatIsLargeEnough) {
  const std::vector<Extent> taken{
      {4 * kGiB, 64 * kMiB}, {4 * kGiB + 2 * kUnit, kUnit}, {4 * kGiB + 6 * kUnit, kUnit}};
  EXPECT_EQ(DimmAddress(taken, kUnit, kUnit), 4 * kGiB + kUnit);
  EXPECT_EQ(DimmAddress(taken, 2 * kUnit, kUnit), 4 * kGiB + 3 * kUnit);
  EXPECT_EQ(DimmAddress(taken, 3 * kUnit, kUnit), 4 * kGiB + 3 * kUnit);
  EXPECT_EQ(DimmAddress(taken, 4 * kUnit, kUnit), 4 * kGiB + 7 * kUnit);
}

TEST(DimmAddress, HoldsAtTheLimits) {
  constexpr int64_t kMost = int64_t{1} << 62;  // the parser's
  EXPECT_EQ(DimmAddress({{kMost - 1, 1}}, kMost, kUnit), kMost);
  EXPECT_EQ(DimmAddress({{0, kMost}, {1, 1}}, kMost, kUnit), kMost) << "one within another";
}

}  // namespace
}  // namespace ballast::vmm::qmp
