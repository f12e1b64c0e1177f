#include "host-bridge/lab/rivals/nobody.h"

#include <gtest/gtest.h>

#include "tests/host-bridge/lab/rivals/sights.h"

namespace ballast::sim {
namespace {

TEST(FprOnly, CommandsNothing) {
  Sights world({4 * kGiB});
  world.host().available_bytes = 0;
  const auto nobody = MakeFprOnly(world.plan());
  EXPECT_TRUE(world.Look(*nobody).empty());
}

TEST(DeflateOnOomOnly, SetsTheFloorOnceEachGuestRuns) {
  Sights world({4 * kGiB, 256 * kMiB});
  world.guest(1).running = false;
  const auto nobody = MakeDeflateOnOomOnly(world.plan());
  EXPECT_EQ(world.Obey(*nobody), (std::vector<int64_t>{kGiB, 256 * kMiB}));
  world.guest(1).running = true;
  world.guest(0).balloon_bytes = 2 * kGiB;  // its driver gave something back
  EXPECT_EQ(world.Obey(*nobody), (std::vector<int64_t>{2 * kGiB, 128 * kMiB}));
  EXPECT_TRUE(world.Look(*nobody).empty());
}

TEST(DeflateOnOomOnly, GivesANewVmmItsTargetAgain) {
  Sights world({4 * kGiB});
  const auto nobody = MakeDeflateOnOomOnly(world.plan());
  world.Obey(*nobody);
  world.guest(0).rebooted = true;  // a reset: the device still has its target
  EXPECT_TRUE(world.Look(*nobody).empty());
  world.guest(0).balloon_bytes = world.guest(0).target_bytes = 0;
  EXPECT_EQ(world.Obey(*nobody).front(), kGiB);
}

}  // namespace
}  // namespace ballast::sim
