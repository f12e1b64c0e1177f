// What policy is told of a VM's memory devices.
#pragma once

#include <optional>

#include "host-bridge/policy/snapshot.h"
#include "host-bridge/vmm/memory_devices.h"

namespace ballast::vmm {

// Absent: nothing can be plugged, and nothing of ours is. Where the VM has virtio-mem, growth comes from it
// alone (it gives back piece by piece what a DIMM only gives as a whole); DIMMs of ours still count.
[[nodiscard]] std::optional<policy::PlugReading> PlugReadingOf(const DeviceReading& devices);

// The smallest DIMM that may be added, so that the slots do not run out before the address space does; a
// multiple of dimm_unit_bytes. 0: none can be.
[[nodiscard]] int64_t DimmShare(const DeviceReading& devices);

}  // namespace ballast::vmm
