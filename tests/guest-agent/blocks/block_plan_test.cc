#include "guest-agent/blocks/block_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/units.h"

namespace ballast::agent {
namespace {

using kernel::BlockState;
using kernel::Zone;
using kernel::ZoneKind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kBlock = 128 * kMiB;

OnlineStep Kernel(int64_t number) { return {number, false}; }
OnlineStep Movable(int64_t number) { return {number, true}; }

std::vector<Block> Offline(int64_t first, int64_t count) {
  std::vector<Block> blocks;
  for (int64_t i = 0; i < count; ++i) blocks.push_back({.number = first + i});
  return blocks;
}

Block Online(int64_t number, std::optional<ZoneKind> zone, bool plugged = false) {
  return {.number = number, .state = BlockState::kOnline, .zone = zone, .plugged = plugged};
}

Zone ZoneOf(ZoneKind kind, int64_t size_mib, int64_t free_mib) {
  return {.kind = kind,
          .free_bytes = free_mib * kMiB,
          .min_bytes = kMiB,
          .low_bytes = 2 * kMiB,
          .high_bytes = 4 * kMiB,
          .managed_bytes = size_mib * kMiB,
          .present_bytes = size_mib * kMiB};
}

kernel::Zones ZonesOf(std::initializer_list<Zone> zones) {
  kernel::Zones list;
  for (const Zone& zone : zones) list.Add(zone);
  return list;
}

TEST(PlanOnline, MovableFromTheTopWhileItIsAtMostThreeTimesTheRest) {
  EXPECT_THAT(PlanOnline(Offline(32, 3), ZoneChoice::kAuto, {kBlock, 0}, kBlock),
              ElementsAre(Movable(34), Movable(33), Movable(32)));
}

TEST(PlanOnline, WhatTheKernelsZonesNeedComesFirstAndFromTheBottom) {
  // 1 + k kernel blocks carry 3 (1 + k) Movable ones: of 4 one has to serve the kernel, of 31 seven.
  EXPECT_THAT(PlanOnline(Offline(32, 4), ZoneChoice::kAuto, {kBlock, 0}, kBlock),
              ElementsAre(Kernel(32), Movable(35), Movable(34), Movable(33)));
  const auto steps = PlanOnline(Offline(32, 31), ZoneChoice::kAuto, {kBlock, 0}, kBlock);
  ASSERT_EQ(steps.size(), 31u);
  for (size_t i = 0; i < steps.size(); ++i) EXPECT_EQ(steps[i].movable, i >= 7) << i;
  EXPECT_EQ(steps[6], Kernel(38));
  EXPECT_EQ(steps[7], Movable(62));
}

TEST(PlanOnline, MovableThatIsTooLargeAlreadyIsMadeUpFor) {
  EXPECT_THAT(PlanOnline(Offline(40, 2), ZoneChoice::kAuto, {kBlock, 5 * kBlock}, kBlock),
              ElementsAre(Kernel(40), Movable(41)));
  EXPECT_THAT(PlanOnline(Offline(40, 2), ZoneChoice::kAuto, {kBlock, 30 * kBlock}, kBlock),
              ElementsAre(Kernel(40), Kernel(41)));
}

TEST(PlanOnline, AGuestWhoseKernelZonesAreShortGetsOneForThem) {
  EXPECT_THAT(PlanOnline(Offline(32, 2), ZoneChoice::kAuto, {8 * kBlock, 0, /*kernel_short=*/true}, kBlock),
              ElementsAre(Kernel(32), Movable(33)));
  EXPECT_THAT(PlanOnline({}, ZoneChoice::kAuto, {8 * kBlock, 0, true}, kBlock), IsEmpty());
}

TEST(PlanOnline, AChoiceIsKeptAndSoIsTheNumber) {
  EXPECT_THAT(PlanOnline(Offline(32, 3), ZoneChoice::kKernel, {kBlock, 0}, kBlock),
              ElementsAre(Kernel(32), Kernel(33), Kernel(34)));
  EXPECT_THAT(PlanOnline(Offline(32, 2), ZoneChoice::kMovable, {kBlock, 90 * kBlock, true}, kBlock),
              ElementsAre(Movable(33), Movable(32)));
  EXPECT_THAT(PlanOnline(Offline(32, 9), ZoneChoice::kMovable, {kBlock, 0}, kBlock, 2),
              ElementsAre(Movable(33), Movable(32)));
}

TEST(LeaveToKernel, AsLongAsItWouldEndAsThePlan) {
  using kernel::AutoOnline;
  const auto by = [](ZoneChoice choice, const ZoneShape& shape) {
    return LeaveToKernel(choice, shape, kBlock);
  };
  EXPECT_EQ(by(ZoneChoice::kAuto, {kBlock, 2 * kBlock}), AutoOnline::kMovable);
  EXPECT_EQ(by(ZoneChoice::kAuto, {kBlock, 3 * kBlock}), AutoOnline::kOffline) << "Movable has its share";
  EXPECT_EQ(by(ZoneChoice::kAuto, {8 * kBlock, 0, /*kernel_short=*/true}), AutoOnline::kOffline)
      << "one for the kernel comes first";
  EXPECT_EQ(by(ZoneChoice::kMovable, {kBlock, 90 * kBlock, true}), AutoOnline::kMovable);
  EXPECT_EQ(by(ZoneChoice::kKernel, {kBlock, 0}), AutoOnline::kKernel);
}

TEST(KernelPart, IsWhatThePlanWouldHaveGivenIt) {
  for (const int64_t blocks : {1, 2, 3, 4, 7, 8, 31}) {
    for (const int64_t movable : {0, 2, 3, 30}) {
      for (const bool kernel_short : {false, true}) {
        const auto steps = PlanOnline(Offline(32, static_cast<int>(blocks)), ZoneChoice::kAuto,
                                      {kBlock, movable * kBlock, kernel_short}, kBlock);
        const auto part =
            std::count_if(steps.begin(), steps.end(), [](const OnlineStep& step) { return !step.movable; });
        EXPECT_EQ(KernelPartOf(blocks, {kBlock, (movable + blocks) * kBlock, kernel_short}, kBlock), part)
            << blocks << " to " << movable << " Movable";
      }
    }
  }
  EXPECT_EQ(KernelPartOf(0, {kBlock, 30 * kBlock, true}, kBlock), 0);
}

TEST(ZoneShape, CountsWhatServesTheKernelApartFromMovable) {
  const auto shape = ShapeOf(ZonesOf({ZoneOf(ZoneKind::kDma32, 256, 100), ZoneOf(ZoneKind::kNormal, 128, 1),
                                      ZoneOf(ZoneKind::kMovable, 512, 0)}));
  EXPECT_EQ(shape.kernel_bytes, 384 * kMiB);
  EXPECT_EQ(shape.movable_bytes, 512 * kMiB);
  EXPECT_FALSE(shape.kernel_short);
  EXPECT_TRUE(
      ShapeOf(ZonesOf({ZoneOf(ZoneKind::kDma32, 256, 1), ZoneOf(ZoneKind::kMovable, 512, 500)})).kernel_short)
      << "what is free in Movable does not help";
}

TEST(Room, IsSixtyFourTimesWhatTheKernelsZonesCanSpare) {
  // 100 free, 4 of them below the high watermark, 8 kept: 88 MiB of metadata.
  EXPECT_EQ(RoomBytes(ZonesOf({ZoneOf(ZoneKind::kDma32, 256, 100)}), kBlock),
            88 * 64 * kMiB / kBlock * kBlock);
  EXPECT_EQ(RoomBytes(ZonesOf({ZoneOf(ZoneKind::kDma32, 256, 100), ZoneOf(ZoneKind::kMovable, 512, 500),
                               ZoneOf(ZoneKind::kDma, 15, 15)}),
                      kBlock),
            88 * 64 * kMiB)
      << "neither Movable nor DMA carries metadata";
  EXPECT_EQ(
      RoomBytes(ZonesOf({ZoneOf(ZoneKind::kDma32, 256, 100), ZoneOf(ZoneKind::kNormal, 2560, 4)}), kBlock),
      78 * 64 * kMiB)
      << "allocations that could come from Normal leave 1/256 of its size in DMA32";
}

TEST(Room, OneBlockFitsWhileTwiceItsMetadataIsFree) {
  EXPECT_EQ(RoomBytes(ZonesOf({ZoneOf(ZoneKind::kDma32, 256, 6)}), kBlock), kBlock) << "4 MiB above low";
  EXPECT_EQ(RoomBytes(ZonesOf({ZoneOf(ZoneKind::kDma32, 256, 5)}), kBlock), 0);
  EXPECT_EQ(RoomBytes(ZonesOf({}), kBlock), 0);
}

TEST(OfflineOrder, MovableFromTheTopThenTheKernelsZones) {
  const auto order = OrderOffline({Online(3, ZoneKind::kDma32),
                                   Online(32, ZoneKind::kMovable),
                                   Online(33, ZoneKind::kNormal),
                                   {.number = 34},
                                   Online(35, ZoneKind::kMovable)});
  std::vector<int64_t> numbers;
  for (const Block& block : order) numbers.push_back(block.number);
  EXPECT_THAT(numbers, ElementsAre(35, 32, 33, 3));
}

TEST(OfflineOrder, TheBootsMemoryIsOfferedOnlyWhenItIsNamed) {
  EXPECT_FALSE(IsOfferedUnnamed(Online(3, ZoneKind::kDma32)));
  EXPECT_FALSE(IsOfferedUnnamed(Online(0, std::nullopt)));
  EXPECT_TRUE(IsOfferedUnnamed(Online(32, ZoneKind::kMovable)));
  EXPECT_TRUE(IsOfferedUnnamed(Online(33, ZoneKind::kNormal, /*plugged=*/true)));
}

TEST(Ranges, HoldOnlyBlocksThatLieWhollyInOne) {
  EXPECT_TRUE(LiesWithin(7, kBlock, {}));
  EXPECT_TRUE(LiesWithin(32, kBlock, {{4 * kGiB, kBlock}}));
  EXPECT_FALSE(LiesWithin(33, kBlock, {{4 * kGiB, kBlock}}));
  EXPECT_FALSE(LiesWithin(32, kBlock, {{4 * kGiB, kBlock - 1}}));
  EXPECT_FALSE(LiesWithin(32, kBlock, {{4 * kGiB + 1, 2 * kBlock}}));
  EXPECT_TRUE(LiesWithin(33, kBlock, {{4 * kGiB + 1, 2 * kBlock}}))
      << "from inside one block to inside another";
  EXPECT_TRUE(LiesWithin(32, kBlock, {{0, kBlock}, {0, int64_t{1} << 57}}));
  EXPECT_FALSE(LiesWithin(32, kBlock, {{int64_t{1} << 57, int64_t{1} << 57}}));
}

TEST(Ranges, AreNeighboursThatAreAlike) {
  const auto ranges = RangesOf({Online(0, std::nullopt),
                                Online(1, ZoneKind::kDma32),
                                Online(2, ZoneKind::kDma32),
                                Online(4, ZoneKind::kDma32),
                                {.number = 5},
                                {.number = 6, .failed = true}});
  EXPECT_THAT(ranges, ElementsAre(BlockRange{0, 1, BlockState::kOnline, std::nullopt},
                                  BlockRange{1, 2, BlockState::kOnline, ZoneKind::kDma32},
                                  BlockRange{4, 1, BlockState::kOnline, ZoneKind::kDma32},
                                  BlockRange{5, 2, BlockState::kOffline, std::nullopt}));
}

}  // namespace
}  // namespace ballast::agent
