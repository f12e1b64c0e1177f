// Which device grows next, and by how much.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "host-bridge/vmm/memory_devices.h"

namespace ballast::hotplug {

struct GrowthStep {
  std::string device;  // virtio-mem; empty: a new DIMM
  int64_t bytes = 0;   // its new request, or the DIMM's size

  friend bool operator==(const GrowthStep&, const GrowthStep&) = default;
};

// Bytes that Ballast may plug and unplug, as requested: DIMMs of ours and virtio-mem's requested sizes.
[[nodiscard]] int64_t RequestedBytes(const vmm::DeviceReading& reading);

// The next step towards `target_bytes` requested, never beyond it: virtio-mem as far as it goes, the rest by
// DIMMs. A DIMM is as small as it can be without the slots running out before the address space does: it
// leaves as a whole or not at all. Nothing when the target is reached, less than a block or a DIMM's unit is
// missing, or nothing more can be plugged.
[[nodiscard]] std::optional<GrowthStep> NextGrowth(const vmm::DeviceReading& reading, int64_t target_bytes);

}  // namespace ballast::hotplug
