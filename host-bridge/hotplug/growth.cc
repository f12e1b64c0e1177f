#include "host-bridge/hotplug/growth.h"

#include <algorithm>

#include "host-bridge/vmm/plug_reading.h"

namespace ballast::hotplug {
namespace {

int64_t Down(int64_t bytes, int64_t unit) { return bytes - bytes % unit; }
int64_t Up(int64_t bytes, int64_t unit) { return Down(bytes + unit - 1, unit); }

}  // namespace

int64_t RequestedBytes(const vmm::DeviceReading& reading) {
  int64_t bytes = 0;
  for (const vmm::MemoryDevice& device : reading.devices) {
    if (device.ours) bytes += device.requested_bytes;
  }
  return bytes;
}

std::optional<GrowthStep> NextGrowth(const vmm::DeviceReading& reading, const GrowthGoal& goal) {
  const int64_t requested = RequestedBytes(reading);
  const int64_t missing = goal.target_bytes - requested;
  const int64_t allowed = goal.most_bytes - requested;
  if (missing <= 0 || allowed <= 0) return std::nullopt;
  for (const vmm::MemoryDevice& device : reading.devices) {
    if (device.kind != vmm::DeviceKind::kVirtioMem || device.block_bytes <= 0) continue;
    const int64_t more = std::min(Up(missing, device.block_bytes), Down(allowed, device.block_bytes));
    const int64_t bytes =
        Down(std::min(device.requested_bytes + more, device.most_bytes), device.block_bytes);
    if (bytes > device.requested_bytes) return GrowthStep{device.id, bytes};
  }
  const int64_t share = vmm::DimmShare(reading);
  if (share == 0) return std::nullopt;
  const int64_t unit = reading.dimm_unit_bytes;
  const int64_t bytes = std::min({share, Down(allowed, unit), Down(reading.free_bytes, unit)});
  if (bytes < unit) return std::nullopt;
  return GrowthStep{"", bytes};
}

}  // namespace ballast::hotplug
