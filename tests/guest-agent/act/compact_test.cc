#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "guest-agent/act/swappiness.h"
#include "tests/guest-agent/act/act_guest.h"

namespace ballast::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string Buddyinfo(int order9, int order10) {
  return "Node 0, zone   Normal 9 8 7 6 5 4 3 2 1 " + std::to_string(order9) + " " + std::to_string(order10) +
         "\n";
}

class CompactTest : public ::testing::Test {
 protected:
  CompactTest() {
    guest.Put("/proc/sys/vm/compact_memory", "");
    guest.Put("/proc/buddyinfo", Buddyinfo(3, 2));
    guest.kernel = [this](const Order& order, const StopWatch&) {
      guest.Put("/proc/buddyinfo", Buddyinfo(5, 10));
      return guest.WriteThrough(order);
    };
  }
  ActGuest guest;
};

TEST_F(CompactTest, CountsFreeBlocksBeforeAndAfter) {
  const auto result = guest.acts.Compact({});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->free_blocks_before, 7);
  EXPECT_EQ(result->free_blocks_after, 25);
  EXPECT_EQ(result->block_bytes, 2 * kMiB);
  EXPECT_EQ(result->stop, Stop::kDone);
  EXPECT_THAT(guest.orders, ElementsAre("w /proc/sys/vm/compact_memory 1"));
}

TEST_F(CompactTest, GoesNodeByNodeAndStopsBetweenThem) {
  guest.Put("/sys/devices/system/node/node0/compact", "");
  guest.Put("/sys/devices/system/node/node1/compact", "");
  EXPECT_EQ(guest.acts.Compact({})->stop, Stop::kDone);
  EXPECT_THAT(guest.orders, ElementsAre("w /sys/devices/system/node/node0/compact 1",
                                        "w /sys/devices/system/node/node1/compact 1"));
  guest.orders.clear();
  guest.kernel = [this](const Order& order, const StopWatch&) {
    guest.SetStall(Milliseconds(50));
    return guest.WriteThrough(order);
  };
  const auto result = guest.acts.Compact({});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->stop, Stop::kPressure);
  EXPECT_EQ(guest.orders.size(), 1u);
}

TEST_F(CompactTest, SaysWhenTheKernelCannot) {
  guest.Remove("/proc/sys/vm/compact_memory");
  EXPECT_TRUE(absl::IsUnimplemented(guest.acts.Compact({}).status()));
  EXPECT_THAT(guest.orders, IsEmpty());
}

TEST(Swappiness, IsReadBack) {
  ActGuest guest;
  guest.Put("/proc/sys/vm/swappiness", "60\n");
  const auto result = guest.acts.SetSwappiness(180, {});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->before, 60);
  EXPECT_EQ(result->after, 180);
  EXPECT_EQ(guest.Get("/proc/sys/vm/swappiness"), "180\n");
}

TEST(Swappiness, SaysWhatIsMissingAndLeavesAPressedGuestAlone) {
  ActGuest guest;
  EXPECT_TRUE(absl::IsUnimplemented(guest.acts.SetSwappiness(10, {}).status()));
  guest.Put("/proc/sys/vm/swappiness", "60\n");
  guest.figures.available = 100 * kMiB;
  guest.Apply();
  EXPECT_TRUE(absl::IsFailedPrecondition(guest.acts.SetSwappiness(10, {}).status()));
  EXPECT_EQ(guest.Get("/proc/sys/vm/swappiness"), "60\n");
}

}  // namespace
}  // namespace ballast::agent
