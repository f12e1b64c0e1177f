#include "guest-agent/act/zram_profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <utility>

#include "common/base/text.h"
#include "tests/guest-agent/act/act_guest.h"

namespace ballast::agent {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ZramProfileTest : public ::testing::Test {
 protected:
  void AddDevice(const std::string& name, int64_t disksize) {
    const std::string dir = "/sys/block/" + name;
    guest.Put(dir + "/disksize", StrCat(disksize, "\n"));
    guest.Put(dir + "/mm_stat", "1048576 262144 524288 0 524288 0 0 3 3\n");
    guest.Put(dir + "/comp_algorithm", "lzo [lz4] zstd \n");
  }
  void SwapOn(const std::string& name) {
    guest.Put("/proc/swaps",
              StrCat("Filename Type Size Used Priority\n/dev/", name, " partition 262140 1024 5\n"));
  }

  ActGuest guest;
};

TEST_F(ZramProfileTest, ADeviceInUseIsRebuiltInOrder) {
  AddDevice("zram0", 256 * kMiB);
  SwapOn("zram0");
  const auto result = guest.acts.ConfigureZram({.size_permyriad = 5'000, .memory_limit_bytes = 4096}, {});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(guest.orders,
              ElementsAre("o /dev/zram0", "w /sys/block/zram0/reset 1",
                          "w /sys/block/zram0/comp_algorithm lz4", "w /sys/block/zram0/disksize 1073737728",
                          "w /sys/block/zram0/mem_limit 4096", "m /dev/zram0 4096", "n /dev/zram0 5"));
  EXPECT_THAT(result->done,
              ElementsAre("swapoff", "reset", "algorithm", "disksize", "mem_limit", "mkswap", "swapon"));
  EXPECT_THAT(result->skipped, IsEmpty());
  EXPECT_EQ(result->stop, Stop::kDone);
  EXPECT_EQ(result->device.disksize_bytes, 1073737728) << "as it is now";
}

TEST_F(ZramProfileTest, AStepThatFailsAfterItWasEmptiedBringsItBack) {
  AddDevice("zram0", 256 * kMiB);
  SwapOn("zram0");
  guest.kernel = [this](const Order& order, const StopWatch&) -> absl::StatusOr<Outcome> {
    if (order.text == "1073737728") return Outcome{std::nullopt, ENOMEM, ""};
    return guest.WriteThrough(order);
  };
  const auto result = guest.acts.ConfigureZram({.size_permyriad = 5'000}, {});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->stop, Stop::kExhausted);
  EXPECT_THAT(result->done, ElementsAre("swapoff", "reset", "algorithm", "restore"));
  EXPECT_THAT(result->skipped, Contains(HasSubstr("disksize: Cannot allocate memory")));
  EXPECT_EQ(guest.orders.back(), "n /dev/zram0 5");
  EXPECT_THAT(guest.orders, Contains("w /sys/block/zram0/disksize 268435456"));
}

TEST_F(ZramProfileTest, SwapoffThatIsStoppedHalfWayLeavesTheDeviceAlone) {
  AddDevice("zram0", 256 * kMiB);
  SwapOn("zram0");
  guest.kernel = [this](const Order&, const StopWatch& watch) -> absl::StatusOr<Outcome> {
    EXPECT_FALSE(watch().has_value());
    guest.figures.available = 100 * kMiB;
    guest.Apply();
    return Outcome{watch(), 0, ""};
  };
  const auto result = guest.acts.ConfigureZram({.size_permyriad = 5'000}, {});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->stop, Stop::kPressure);
  EXPECT_THAT(result->done, IsEmpty());
  EXPECT_EQ(result->skipped.front(), "swapoff: stopped half way");
  EXPECT_THAT(guest.orders, ElementsAre("o /dev/zram0"));
}

TEST_F(ZramProfileTest, SwapoffThatEndsAsItIsStoppedIsUndone) {
  AddDevice("zram0", 256 * kMiB);
  SwapOn("zram0");
  guest.kernel = [this](const Order& order, const StopWatch& watch) -> absl::StatusOr<Outcome> {
    if (order.kind != OrderKind::kSwapOff) return guest.WriteThrough(order);
    guest.Put("/proc/swaps", "Filename Type Size Used Priority\n");
    guest.figures.available = 100 * kMiB;
    guest.Apply();
    return Outcome{watch(), 0, ""};
  };
  const auto result = guest.acts.ConfigureZram({.size_permyriad = 5'000}, {});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->stop, Stop::kPressure);
  EXPECT_THAT(result->done, ElementsAre("restore"));
  EXPECT_EQ(guest.orders.back(), "n /dev/zram0 5");
}

TEST_F(ZramProfileTest, OnceItIsEmptiedPressureNoLongerStopsIt) {
  AddDevice("zram0", 256 * kMiB);
  SwapOn("zram0");
  guest.kernel = [this](const Order& order, const StopWatch& watch) -> absl::StatusOr<Outcome> {
    if (order.kind != OrderKind::kSwapOff) {
      guest.figures.available = 100 * kMiB;
      guest.Apply();
      EXPECT_FALSE(watch().has_value()) << "a guest is not left without its swap";
    }
    return guest.WriteThrough(order);
  };
  EXPECT_EQ(guest.acts.ConfigureZram({.size_permyriad = 5'000}, {})->done.back(), "swapon");
}

TEST_F(ZramProfileTest, AHelperThatDiesOnceItIsEmptiedIsReplaced) {
  AddDevice("zram0", 256 * kMiB);
  SwapOn("zram0");
  bool died = false;
  guest.kernel = [&](const Order& order, const StopWatch&) -> absl::StatusOr<Outcome> {
    if (order.kind == OrderKind::kMakeSwap && !std::exchange(died, true))
      return absl::UnavailableError("killed");
    return guest.WriteThrough(order);
  };
  const auto result = guest.acts.ConfigureZram({.size_permyriad = 5'000}, {});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->done.back(), "swapon");
  EXPECT_EQ(guest.helpers, 2);
  EXPECT_EQ(guest.orders[guest.orders.size() - 2], "m /dev/zram0 4096");
}

TEST_F(ZramProfileTest, WritingBackIsMeasured) {
  AddDevice("zram0", 256 * kMiB);
  SwapOn("zram0");
  guest.Put("/sys/block/zram0/writeback", "");
  guest.Put("/sys/block/zram0/backing_dev", "/dev/vdb\n");
  guest.kernel = [this](const Order& order, const StopWatch&) -> absl::StatusOr<Outcome> {
    guest.Put("/sys/block/zram0/mm_stat", "1048576 131072 262144 0 524288 0 0 0 3\n");
    return guest.WriteThrough(order);
  };
  const auto result = guest.acts.ConfigureZram({.write_back_incompressible = true}, {});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->freed_bytes, 262144);
  EXPECT_THAT(guest.orders, ElementsAre("w /sys/block/zram0/writeback huge"));
}

TEST_F(ZramProfileTest, ADeviceIsMadeWhereThereIsNone) {
  guest.kernel = [this](const Order& order, const StopWatch&) -> absl::StatusOr<Outcome> {
    if (order.kind != OrderKind::kRead) return guest.WriteThrough(order);
    AddDevice("zram0", 0);
    return Outcome{std::nullopt, 0, "0\n"};
  };
  const auto result = guest.acts.ConfigureZram({.size_permyriad = 5'000}, {});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(guest.orders.front(), "r /sys/class/zram-control/hot_add");
  EXPECT_EQ(guest.orders.back(), "n /dev/zram0 100");
}

TEST_F(ZramProfileTest, WithoutZramOrWithSeveralItSaysSo) {
  guest.kernel = [](const Order&, const StopWatch&) { return Outcome{std::nullopt, ENOENT, ""}; };
  EXPECT_TRUE(absl::IsUnimplemented(guest.acts.ConfigureZram({.size_permyriad = 5'000}, {}).status()));
  AddDevice("zram0", 0);
  AddDevice("zram2", 0);
  const auto several = guest.acts.ConfigureZram({.size_permyriad = 5'000}, {});
  EXPECT_TRUE(absl::IsInvalidArgument(several.status()));
  EXPECT_THAT(std::string(several.status().message()), HasSubstr("zram0, zram2"));
  const auto unknown = guest.acts.ConfigureZram({.device = "zram1", .size_permyriad = 5'000}, {});
  EXPECT_THAT(std::string(unknown.status().message()), HasSubstr("device is 'zram1'; there is zram0, zram2"));
}

}  // namespace
}  // namespace ballast::agent
