#include "host-bridge/lab/rivals/vm0.h"

#include <gtest/gtest.h>

#include "tests/host-bridge/lab/rivals/sights.h"

namespace ballast::sim {
namespace {

TEST(Vm0, TakesWhatIsFreeAbove256MiBInSteps) {
  struct Case {
    int64_t free_mib;
    int64_t taken_mib;
  };
  for (const auto& [free_mib, taken_mib] : {Case{384, 0}, Case{385, 129}, Case{500, 244}, Case{2000, 256}}) {
    Sights world({4 * kGiB});
    const auto vm0 = MakeVm0(world.plan());
    world.Show(0, 4 * kGiB - free_mib * kMiB);
    EXPECT_EQ(world.Obey(*vm0).front(), 4 * kGiB - taken_mib * kMiB) << free_mib;
    EXPECT_EQ(vm0->at_rest(), taken_mib == 0);
  }
}

TEST(Vm0, ReleasesEverythingBelow192MiB) {
  Sights world({4 * kGiB});
  const auto vm0 = MakeVm0(world.plan());
  world.guest(0).balloon_bytes = world.guest(0).target_bytes = 3 * kGiB;
  world.Show(0, kGiB - 192 * kMiB);
  EXPECT_TRUE(world.Look(*vm0).empty());
  world.Show(0, kGiB - 191 * kMiB);
  EXPECT_EQ(world.Obey(*vm0).front(), 4 * kGiB);
}

TEST(Vm0, FreeMemoryDecidesTakingAndAvailableTheRelease) {
  Sights world({4 * kGiB});
  const auto vm0 = MakeVm0(world.plan());
  world.guest(0).target_bytes = world.guest(0).balloon_bytes = 512 * kMiB;
  world.guest(0).free_bytes = 50 * kMiB;
  world.guest(0).available_bytes = 600 * kMiB;
  EXPECT_TRUE(world.Look(*vm0).empty());
}

TEST(Vm0, LeavesTheFloorAndAPendingTarget) {
  Sights world({4 * kGiB});
  const auto vm0 = MakeVm0(world.plan());
  for (int i = 0; i < 20; ++i) world.Obey(*vm0);
  EXPECT_EQ(world.sizes().front(), kGiB);
  world.guest(0).balloon_bytes = kGiB;  // far from its target of 3 GiB
  world.Show(0, kGiB);
  EXPECT_TRUE(world.Look(*vm0).empty());
}

TEST(Vm0, DoesNothingWithoutStatistics) {
  Sights world({4 * kGiB});
  const auto vm0 = MakeVm0(world.plan());
  world.guest(0).available_bytes = -1;
  EXPECT_TRUE(world.Look(*vm0).empty());
}

}  // namespace
}  // namespace ballast::sim
