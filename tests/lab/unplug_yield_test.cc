// After a workload that leaves memory in shreds Ballast gets back what it plugged, and more than a plain
// request to the device does.
#include <algorithm>

#include "absl/strings/str_format.h"
#include "tests/lab/lab_fixture.h"
#include "tests/lab/unplug_yield.h"

namespace ballast::lab {
namespace {

class UnplugYieldTest : public LabTest, public ::testing::WithParamInterface<PlugKind> {};

void Say(const char* whose, const Yield& yield) {
  absl::PrintF("%s: %.1f %% of %d MiB left in %.1f s; %s%s\n", whose, PercentOf(yield),
               yield.requested_bytes >> 20, absl::ToDoubleSeconds(yield.took), yield.workload, yield.reason);
}

TEST_P(UnplugYieldTest, WhatWasPluggedLeavesAgain) {
  const auto ours = UnplugByBallast(GetParam());
  ASSERT_TRUE(ours.ok()) << ours.status();
  Say("Ballast", *ours);
  const auto plain = UnplugPlainly(GetParam(), std::max(ours->took, kLeastPatience));
  ASSERT_TRUE(plain.ok()) << plain.status();
  Say("a plain request", *plain);

  EXPECT_GE(PercentOf(*ours), 95);
  EXPECT_LT(PercentOf(*plain), PercentOf(*ours)) << "a workload that fragments nothing shows nothing";
  for (const Yield* yield : {&*ours, &*plain}) {
    EXPECT_EQ(yield->requested_bytes, kPluggedMib << 20);
    EXPECT_TRUE(yield->workload_ran);
    EXPECT_EQ(yield->oom_kills, 0);
  }
  // What does not leave is named.
  EXPECT_EQ(ours->left_bytes < ours->requested_bytes, !ours->reason.empty());
  for (const auto& block : ours->refused) EXPECT_NE(block.reason(), "") << block.address();
}

INSTANTIATE_TEST_SUITE_P(Devices, UnplugYieldTest, ::testing::Values(PlugKind::kDimms, PlugKind::kVirtioMem),
                         [](const auto& tested) {
                           return tested.param == PlugKind::kDimms ? "Dimms" : "VirtioMem";
                         });

}  // namespace
}  // namespace ballast::lab
