#include "host-bridge/hotplug/growth.h"

#include <algorithm>

#include "host-bridge/vmm/plug_reading.h"

namespace ballast::hotplug {
namespace {

int64_t Down(int64_t bytes, int64_t unit) { return bytes - bytes % unit; }

}  // namespace

int64_t RequestedBytes(const vmm::DeviceReading& reading) {
  int64_t bytes = 0;
  for (const vmm::MemoryDevice& device : reading.devices) {
    if (device.ours) bytes += device.requested_bytes;
  }
  return bytes;
}

std::optional<GrowthStep> NextGrowth(const vmm::DeviceReading& reading, int64_t target_bytes) {
  const int64_t missing = target_bytes - RequestedBytes(reading);
  if (missing <= 0) return std::nullopt;
  for (const vmm::MemoryDevice& device : reading.devices) {
    if (device.kind != vmm::DeviceKind::kVirtioMem || device.block_bytes <= 0) continue;
    const int64_t most = std::min(device.requested_bytes + missing, device.most_bytes);
    const int64_t bytes = Down(most, device.block_bytes);
    if (bytes > device.requested_bytes) return GrowthStep{device.id, bytes};
  }
  const int64_t share = vmm::DimmShare(reading);
  if (share == 0) return std::nullopt;
  const int64_t unit = reading.dimm_unit_bytes;
  const int64_t bytes = std::min({share, Down(missing, unit), Down(reading.free_bytes, unit)});
  if (bytes < unit) return std::nullopt;
  return GrowthStep{"", bytes};
}

}  // namespace ballast::hotplug
