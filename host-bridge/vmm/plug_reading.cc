#include "host-bridge/vmm/plug_reading.h"

#include <algorithm>

namespace ballast::vmm {

int64_t DimmShare(const DeviceReading& devices) {
  if (!devices.can_plug_dimms || devices.free_slots <= 0) return 0;
  const int64_t units = devices.free_bytes / devices.dimm_unit_bytes;
  return (units + devices.free_slots - 1) / devices.free_slots * devices.dimm_unit_bytes;
}

std::optional<policy::PlugReading> PlugReadingOf(const DeviceReading& devices) {
  policy::PlugReading plug;
  bool any = devices.can_plug_dimms;
  bool virtio_mem = false;
  int64_t smallest_dimm = 0;  // what leaves, leaves as a whole
  for (const MemoryDevice& device : devices.devices) {
    if (!device.ours) continue;
    any = true;
    plug.plugged_bytes += device.size_bytes;
    plug.requested_bytes += device.requested_bytes;
    plug.most_bytes += device.most_bytes;
    if (device.kind == DeviceKind::kDimm && (smallest_dimm == 0 || device.size_bytes < smallest_dimm))
      smallest_dimm = device.size_bytes;
    if (device.kind != DeviceKind::kVirtioMem) continue;
    virtio_mem = true;
    plug.outside_base_bytes += device.size_bytes;
    plug.unit_bytes = std::max(plug.unit_bytes, device.block_bytes);
  }
  if (!any) return std::nullopt;
  if (virtio_mem) return plug;
  const int64_t least = smallest_dimm > 0 ? smallest_dimm : DimmShare(devices);
  plug.unit_bytes = std::max(least, devices.dimm_unit_bytes);
  if (devices.can_plug_dimms && devices.free_slots > 0) {
    plug.most_bytes += devices.free_bytes / devices.dimm_unit_bytes * devices.dimm_unit_bytes;
  }
  return plug;
}

}  // namespace ballast::vmm
