#include "guest-agent/blocks/kernel_onlining.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>

#include "tests/guest-agent/blocks/block_guest.h"

namespace ballast::agent {
namespace {

using kernel::AutoOnline;

constexpr char kPolicy[] = "/sys/devices/system/memory/auto_online_blocks";

TEST(KernelOnlining, SetsAndBringsBackWhatItFound) {
  const BlockGuest guest;
  guest.Put(kPolicy, "online\n");
  {
    KernelOnlining onlining(FileReader(guest.Root()));
    EXPECT_EQ(onlining.Before(), AutoOnline::kOnline);
    EXPECT_TRUE(onlining.IsOn());
    ASSERT_TRUE(onlining.Set(AutoOnline::kMovable).ok());
    EXPECT_EQ(guest.KernelPolicy(), "online_movable");
    ASSERT_TRUE(onlining.Set(AutoOnline::kOffline).ok());
    EXPECT_EQ(guest.KernelPolicy(), "offline");
    EXPECT_FALSE(onlining.IsOn());
    onlining.Restore();
    EXPECT_EQ(guest.KernelPolicy(), "online");
    ASSERT_TRUE(onlining.Set(AutoOnline::kMovable).ok());
  }
  EXPECT_EQ(guest.KernelPolicy(), "online") << "in the end as well";
}

TEST(KernelOnlining, WhatItHasNotSetItLeaves) {
  const BlockGuest guest;
  guest.Put(kPolicy, "online\n");
  { const KernelOnlining unused{FileReader(guest.Root())}; }
  EXPECT_EQ(guest.KernelPolicy(), "online");
  KernelOnlining onlining(FileReader(guest.Root()));
  ASSERT_TRUE(onlining.Set(AutoOnline::kMovable).ok());
  guest.Put(kPolicy, "online_kernel\n");
  ASSERT_TRUE(onlining.Set(AutoOnline::kMovable).ok());
  EXPECT_EQ(guest.KernelPolicy(), "online_kernel") << "somebody else's, and the wish is the same";
}

class KilledAgentTest : public ::testing::Test {
 protected:
  // Which found "offline" and set "online_movable".
  KilledAgentTest() {
    guest_.Put(kBootId, "first\n");
    KernelOnlining killed(FileReader(guest_.Root()));
    EXPECT_TRUE(killed.Set(AutoOnline::kMovable).ok());
    kept_ = FileReader(guest_.Root()).Read(kKept).value_or("");
    killed.Restore();
    EXPECT_FALSE(FileReader(guest_.Root()).Exists(kKept)) << "an agent that ends leaves nothing";
    guest_.Put(kKept, kept_);  // one that is killed does
    guest_.Put(kPolicy, "online_movable\n");
  }
  std::optional<AutoOnline> Before() const { return KernelOnlining(FileReader(guest_.Root())).Before(); }

  static constexpr char kKept[] = "/run/ballast/auto_online_blocks";
  static constexpr char kBootId[] = "/proc/sys/kernel/random/boot_id";
  const BlockGuest guest_;
  std::string kept_;
};

TEST_F(KilledAgentTest, TheNextBringsBackWhatItFound) {
  {
    KernelOnlining next(FileReader(guest_.Root()));
    EXPECT_EQ(next.Before(), AutoOnline::kOffline);
    ASSERT_TRUE(next.Set(AutoOnline::kKernel).ok());
    KernelOnlining third(FileReader(guest_.Root()));
    EXPECT_EQ(third.Before(), AutoOnline::kOffline) << "should that be killed as well";
  }
  EXPECT_EQ(guest_.KernelPolicy(), "offline");
  EXPECT_FALSE(FileReader(guest_.Root()).Exists(kKept));
}

TEST_F(KilledAgentTest, WhatSomebodyElseHasSetSinceIsWhatIsFound) {
  guest_.Put(kPolicy, "online\n");
  EXPECT_EQ(Before(), AutoOnline::kOnline);
}

TEST_F(KilledAgentTest, WhatIsOfAnotherBootOrMakesNoSenseIsIgnored) {
  EXPECT_EQ(kept_, "first offline online_movable\n");
  for (const char* other : {"second offline online_movable\n", "first sometimes online_movable\n",
                            "first offline\n", "", "first offline online_movable x\n"}) {
    guest_.Put(kKept, other);
    EXPECT_EQ(Before(), AutoOnline::kMovable) << other;
  }
}

TEST(KernelOnlining, AKernelWithoutTheFileBringsNothingOnline) {
  const BlockGuest guest;
  std::filesystem::remove(guest.Root() + kPolicy);
  KernelOnlining onlining(FileReader(guest.Root()));
  EXPECT_EQ(onlining.Before(), std::nullopt);
  EXPECT_FALSE(onlining.IsOn());
  EXPECT_TRUE(absl::IsNotFound(onlining.Set(AutoOnline::kMovable)));
}

}  // namespace
}  // namespace ballast::agent
