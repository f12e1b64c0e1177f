#include "common/kernel/memory_block_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/base/units.h"

namespace ballast::kernel {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(MemoryBlock, ItsStateIsOneOfThree) {
  EXPECT_EQ(*ParseBlockState("online\n"), BlockState::kOnline);
  EXPECT_EQ(*ParseBlockState("offline"), BlockState::kOffline);
  EXPECT_EQ(*ParseBlockState("going-offline\n"), BlockState::kGoingOffline);
  for (const char* wrong : {"", "online_movable\n", "onlin", "online\n\n", "going_offline"}) {
    const auto state = ParseBlockState(wrong);
    EXPECT_TRUE(absl::IsInvalidArgument(state.status())) << wrong;
    EXPECT_THAT(std::string(state.status().message()), HasSubstr("not online, offline or going-offline"));
  }
  EXPECT_EQ(NameOf(BlockState::kGoingOffline), "going-offline");
}

std::vector<ZoneKind> ListOf(const ShortList<ZoneKind, kZoneKinds>& zones) {
  return {zones.begin(), zones.end()};
}

TEST(MemoryBlock, ItsZonesAreOneListOrNone) {
  const auto both = ParseValidZones("Normal Movable\n");
  ASSERT_TRUE(both.ok()) << both.status();
  EXPECT_THAT(ListOf(both->zones), ElementsAre(ZoneKind::kNormal, ZoneKind::kMovable));
  EXPECT_TRUE(both->Has(ZoneKind::kMovable));
  EXPECT_FALSE(both->Has(ZoneKind::kDma32));
  EXPECT_THAT(ListOf(ParseValidZones("DMA32\n")->zones), ElementsAre(ZoneKind::kDma32));
  EXPECT_TRUE(ParseValidZones("none\n")->spans);
  for (const char* wrong :
       {"", "\n", "Normal  Movable\n", "Normal,Movable", "Normal Normal", "Normal ", "normal"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseValidZones(wrong).status())) << wrong;
  }
}

TEST(MemoryBlock, ItsSizeIsHexadecimalWithoutAPrefix) {
  EXPECT_EQ(*ParseBlockSize("8000000\n"), 128 * kMiB);
  EXPECT_EQ(*ParseBlockSize("80000000"), 2 * kGiB);
  EXPECT_EQ(*ParseBlockSize("100000"), kMiB);
  for (const char* wrong : {"", "0", "80000", "8000001", "0x8000000", "-8000000", "20000000000", "8000000 ",
                            "fffffffffffffffff"}) {
    const auto size = ParseBlockSize(wrong);
    EXPECT_TRUE(absl::IsInvalidArgument(size.status())) << wrong;
    EXPECT_THAT(std::string(size.status().message()), HasSubstr("block_size_bytes is '"));
  }
}

TEST(MemoryBlock, ItsNumberIsDecimalWithoutLeadingZeros) {
  EXPECT_EQ(BlockNumberOf("memory0"), 0);
  EXPECT_EQ(BlockNumberOf("memory40"), 40);
  for (const char* other : {"memory", "memory040", "memory4x", "memory-1", "Memory4", "block_size_bytes",
                            "power", "memory99999999999999999999", "memory1099511627776"}) {
    EXPECT_EQ(BlockNumberOf(other), std::nullopt) << other;
  }
}

TEST(MemoryBlock, ThePolicyOfTheKernelAndItsSwitches) {
  for (const auto policy :
       {AutoOnline::kOffline, AutoOnline::kOnline, AutoOnline::kKernel, AutoOnline::kMovable}) {
    EXPECT_EQ(*ParseAutoOnline(NameOf(policy)), policy);
  }
  EXPECT_EQ(*ParseAutoOnline("online_movable\n"), AutoOnline::kMovable);
  EXPECT_TRUE(absl::IsInvalidArgument(ParseAutoOnline("on\n").status()));
  EXPECT_TRUE(*ParseSwitch("memmap_on_memory", "Y\n"));
  EXPECT_TRUE(*ParseSwitch("memmap_on_memory", "force\n"));
  EXPECT_FALSE(*ParseSwitch("memmap_on_memory", "N\n"));
  EXPECT_THAT(std::string(ParseSwitch("memmap_on_memory", "1").status().message()),
              HasSubstr("memmap_on_memory is '1', not Y, N or force"));
}

}  // namespace
}  // namespace ballast::kernel
