#include "host-bridge/vmm/plug_reading.h"

#include <gtest/gtest.h>

#include "common/base/units.h"

namespace ballast::vmm {
namespace {

using policy::PlugReading;

MemoryDevice Dimm(const std::string& id, int64_t bytes, bool ours) {
  return {DeviceKind::kDimm, id, 4 * kGiB, bytes, bytes, bytes, bytes, ours};
}
MemoryDevice VirtioMem(int64_t bytes, int64_t requested) {
  return {DeviceKind::kVirtioMem, "vm0", 8 * kGiB, bytes, requested, kGiB, 2 * kMiB, true};
}

TEST(PlugReadingOf, AVmThatTakesNothingHasNone) {
  EXPECT_EQ(PlugReadingOf({}), std::nullopt);
  DeviceReading foreign;
  foreign.devices = {Dimm("dimm1", kGiB, false)};
  EXPECT_EQ(PlugReadingOf(foreign), std::nullopt) << "what others plugged is theirs";
}

TEST(PlugReadingOf, DimmsGrowByWhatFitsBelowMaxmem) {
  DeviceReading devices;
  devices.can_plug_dimms = true;
  devices.free_slots = 1;
  devices.free_bytes = kGiB + 5 * kMiB;
  devices.devices = {Dimm("ballast-dimm-0", 256 * kMiB, true), Dimm("dimm1", kGiB, false)};
  EXPECT_EQ(PlugReadingOf(devices), (PlugReading{256 * kMiB, 256 * kMiB, kGiB + 256 * kMiB, 256 * kMiB, 0}));
  devices.free_slots = 0;
  EXPECT_EQ(PlugReadingOf(devices)->most_bytes, 256 * kMiB) << "without a slot there is no growth";
}

TEST(PlugReadingOf, AGuestOfLargeBlocksTakesWholeOnesOnly) {
  DeviceReading devices{
      .free_slots = 16, .free_bytes = 5 * kGiB, .can_plug_dimms = true, .dimm_unit_bytes = 2 * kGiB};
  EXPECT_EQ(PlugReadingOf(devices), (PlugReading{0, 0, 4 * kGiB, 2 * kGiB, 0}));
  // Plugged before the guest had said its blocks: it is there, but no measure for others.
  devices.devices = {Dimm("ballast-dimm-0", 256 * kMiB, true)};
  EXPECT_EQ(PlugReadingOf(devices)->unit_bytes, 2 * kGiB);
}

TEST(PlugReadingOf, VirtioMemIsPreferredAndOurDimmsStillCount) {
  DeviceReading devices;
  devices.can_plug_dimms = true;
  devices.free_slots = 4;
  devices.free_bytes = 4 * kGiB;
  devices.devices = {Dimm("ballast-dimm-0", 256 * kMiB, true), VirtioMem(100 * kMiB, 512 * kMiB)};
  EXPECT_EQ(PlugReadingOf(devices),
            (PlugReading{356 * kMiB, 768 * kMiB, kGiB + 256 * kMiB, 2 * kMiB, 100 * kMiB}));
}

}  // namespace
}  // namespace ballast::vmm
