#include "host-bridge/lab/rivals/proxmox.h"

#include <gtest/gtest.h>

#include "tests/host-bridge/lab/rivals/sights.h"

namespace ballast::sim {
namespace {

// Leaves the host this far below (or, negative, above) its target of 80 % used.
void SetGoal(Sights& world, int64_t goal_bytes) {
  world.host().available_bytes = world.host().total_bytes - world.host().total_bytes * 80 / 100 + goal_bytes;
}

// 8 GiB guests with a minimum of 2 GiB, at 4 GiB.
void TwoHalved(Sights& world) {
  for (size_t i = 0; i < 2; ++i) {
    world.guest(i).balloon_bytes = 4 * kGiB;
    world.Show(i, 4 * kGiB - 100 * kMiB);  // 100 MiB free: in need
  }
}

TEST(Proxmox, MovesAtMostHundredMebibytesACycle) {
  Sights world({8 * kGiB});
  const auto proxmox = MakeProxmox(world.plan());
  SetGoal(world, -kGiB);
  EXPECT_EQ(world.Obey(*proxmox).front(), 8 * kGiB - 100 * kMiB);
  EXPECT_EQ(world.Obey(*proxmox).front(), 8 * kGiB - 200 * kMiB);
  SetGoal(world, kGiB);
  EXPECT_EQ(world.Obey(*proxmox).front(), 8 * kGiB - 100 * kMiB);
}

TEST(Proxmox, DoesNothingWithinTenMebibytes) {
  Sights world({8 * kGiB});
  const auto proxmox = MakeProxmox(world.plan());
  for (const int64_t goal : {-10 * kMiB, int64_t{0}, 10 * kMiB}) {
    SetGoal(world, goal);
    EXPECT_TRUE(world.Look(*proxmox).empty());
    EXPECT_TRUE(proxmox->at_rest());
  }
  SetGoal(world, -11 * kMiB);
  EXPECT_EQ(world.Obey(*proxmox).front(), 8 * kGiB - 11 * kMiB);
  EXPECT_FALSE(proxmox->at_rest());
}

TEST(Proxmox, TakesFromGuestsWithMemoryToSpareFirst) {
  Sights world({8 * kGiB, 8 * kGiB});
  world.Show(0, 8 * kGiB - 512 * kMiB);  // exactly a quarter of its minimum free: in need
  const auto proxmox = MakeProxmox(world.plan());
  SetGoal(world, -kGiB);
  EXPECT_EQ(world.Obey(*proxmox), (std::vector<int64_t>{8 * kGiB, 8 * kGiB - 100 * kMiB}));
}

TEST(Proxmox, TakesFromStarvingOnesWhenThereAreNoOthers) {
  Sights world({8 * kGiB, 8 * kGiB});
  for (size_t i = 0; i < 2; ++i) world.Show(i, 8 * kGiB - 100 * kMiB);
  const auto proxmox = MakeProxmox(world.plan());
  SetGoal(world, -kGiB);
  EXPECT_EQ(world.Obey(*proxmox), (std::vector<int64_t>{8 * kGiB - 100 * kMiB, 8 * kGiB - 100 * kMiB}));
}

TEST(Proxmox, GivesToGuestsInNeedFirst) {
  Sights world({8 * kGiB, 8 * kGiB});
  TwoHalved(world);
  world.Show(1, kGiB);
  const auto proxmox = MakeProxmox(world.plan());
  SetGoal(world, kGiB);
  EXPECT_EQ(world.Obey(*proxmox), (std::vector<int64_t>{4 * kGiB + 100 * kMiB, 4 * kGiB}));
}

// Shares 1000 and 2000 of 2 x 2 GiB above the minima and the goal of 60 MiB: 3433 and 4818 MiB are wanted.
TEST(Proxmox, RebalancesByShares) {
  Sights world({8 * kGiB, 8 * kGiB});
  TwoHalved(world);
  world.guest_plan(1).limits.weight = 200;
  const auto proxmox = MakeProxmox(world.plan());
  SetGoal(world, 60 * kMiB);
  EXPECT_EQ(world.Obey(*proxmox), (std::vector<int64_t>{4 * kGiB - 100 * kMiB, 4 * kGiB + 100 * kMiB}));
}

TEST(Proxmox, StopsAtTheMinimum) {
  Sights world({8 * kGiB});
  world.guest_plan(0).limits.floor_bytes = 8 * kGiB - 30 * kMiB;
  const auto proxmox = MakeProxmox(world.plan());
  SetGoal(world, -kGiB);
  EXPECT_EQ(world.Obey(*proxmox).front(), 8 * kGiB - 30 * kMiB);
  EXPECT_TRUE(world.Look(*proxmox).empty());
}

}  // namespace
}  // namespace ballast::sim
