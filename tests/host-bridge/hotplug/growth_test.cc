#include "host-bridge/hotplug/growth.h"

#include <gtest/gtest.h>

#include "common/base/units.h"

namespace ballast::hotplug {
namespace {

vmm::MemoryDevice VirtioMem(int64_t requested, int64_t most) {
  return {.kind = vmm::DeviceKind::kVirtioMem,
          .id = "vm0",
          .address = 4 * kGiB,
          .size_bytes = requested,
          .requested_bytes = requested,
          .most_bytes = most,
          .block_bytes = 2 * kMiB,
          .ours = true};
}

TEST(GrowthTest, VirtioMemGrowsFirstAndAsFarAsItGoes) {
  vmm::DeviceReading reading{.devices = {VirtioMem(256 * kMiB, kGiB)}};
  EXPECT_EQ(NextGrowth(reading, 300 * kMiB), (GrowthStep{"vm0", 300 * kMiB}));
  EXPECT_EQ(NextGrowth(reading, 3 * kGiB), (GrowthStep{"vm0", kGiB}));
}

TEST(GrowthTest, ARequestIsMadeOfTheDevicesBlocks) {
  vmm::DeviceReading reading{.devices = {VirtioMem(0, kGiB)}};
  EXPECT_EQ(NextGrowth(reading, 5 * kMiB), (GrowthStep{"vm0", 4 * kMiB}));
  EXPECT_EQ(NextGrowth(reading, kMiB), std::nullopt);
}

TEST(GrowthTest, WhatVirtioMemCannotTakeComesAsADimm) {
  vmm::DeviceReading reading{
      .devices = {VirtioMem(kGiB, kGiB)}, .free_slots = 16, .free_bytes = 2 * kGiB, .can_plug_dimms = true};
  EXPECT_EQ(NextGrowth(reading, kGiB + 128 * kMiB), (GrowthStep{"", 128 * kMiB}));
}

TEST(GrowthTest, ADimmIsLargeEnoughForTheSlotsToLast) {
  vmm::DeviceReading reading{.free_slots = 4, .free_bytes = 4 * kGiB, .can_plug_dimms = true};
  EXPECT_EQ(NextGrowth(reading, kGiB), (GrowthStep{"", kGiB}));
  EXPECT_EQ(NextGrowth(reading, 4 * kGiB), (GrowthStep{"", kGiB})) << "and no larger: it leaves as a whole";
}

TEST(GrowthTest, NothingExceedsTheTarget) {
  vmm::DeviceReading reading{.free_slots = 1, .free_bytes = 4 * kGiB, .can_plug_dimms = true};
  EXPECT_EQ(NextGrowth(reading, kGiB - kMiB), (GrowthStep{"", kGiB - 128 * kMiB}));
  EXPECT_EQ(NextGrowth(reading, 127 * kMiB), std::nullopt);
}

TEST(GrowthTest, ADimmIsMadeOfTheGuestsBlocks) {
  vmm::DeviceReading reading{
      .free_slots = 16, .free_bytes = 7 * kGiB, .can_plug_dimms = true, .dimm_unit_bytes = 2 * kGiB};
  EXPECT_EQ(NextGrowth(reading, 3 * kGiB), (GrowthStep{"", 2 * kGiB}));
  EXPECT_EQ(NextGrowth(reading, 2 * kGiB - 1), std::nullopt) << "half a block is none";
  reading.free_slots = 2;
  EXPECT_EQ(NextGrowth(reading, 7 * kGiB), (GrowthStep{"", 4 * kGiB})) << "6 of the 7 in two slots";
  reading.free_bytes = kGiB;
  EXPECT_EQ(NextGrowth(reading, 4 * kGiB), std::nullopt);
}

TEST(GrowthTest, ADimmNeverExceedsTheSpaceThatIsLeft) {
  vmm::DeviceReading reading{.free_slots = 1, .free_bytes = 300 * kMiB, .can_plug_dimms = true};
  EXPECT_EQ(NextGrowth(reading, 4 * kGiB), (GrowthStep{"", 256 * kMiB}));
}

TEST(GrowthTest, NothingIsPluggedWithoutASlotSpaceOrNeed) {
  EXPECT_EQ(NextGrowth({.free_slots = 0, .free_bytes = kGiB, .can_plug_dimms = true}, kGiB), std::nullopt);
  EXPECT_EQ(NextGrowth({.free_slots = 3, .free_bytes = 64 * kMiB, .can_plug_dimms = true}, kGiB),
            std::nullopt);
  EXPECT_EQ(NextGrowth({.free_slots = 3, .free_bytes = kGiB}, kGiB), std::nullopt);
  EXPECT_EQ(NextGrowth({.free_slots = 3, .free_bytes = kGiB, .can_plug_dimms = true}, 0), std::nullopt);
}

TEST(GrowthTest, OthersDimmsDoNotCount) {
  vmm::MemoryDevice dimm{.id = "theirs", .size_bytes = kGiB, .requested_bytes = kGiB};
  EXPECT_EQ(RequestedBytes({.devices = {dimm}}), 0);
  dimm.ours = true;
  EXPECT_EQ(RequestedBytes({.devices = {dimm, VirtioMem(512 * kMiB, kGiB)}}), kGiB + 512 * kMiB);
}

}  // namespace
}  // namespace ballast::hotplug
