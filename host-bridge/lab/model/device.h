// The balloon device as the VMM was started with it, and its real speed.
#pragma once

#include <cstdint>

#include "common/base/units.h"

namespace ballast::sim {

struct DeviceSpec {
  bool deflate_on_oom = true;
  bool free_page_reporting = false;
  // Stock virtio-balloon, 4 KiB pages, 12 vCPU Xeon: takes 0.9 and gives 2.1 GiB/s (HyperAlloc artifact,
  // EuroSys'25).
  int64_t take_bytes_per_second = 921 * kMiB;
  int64_t give_bytes_per_second = 2150 * kMiB;
  // The VMM accepts inflation, the guest loses the pages, the host gets nothing (VFIO, huge pages, macOS).
  bool returns_nothing = false;

  friend bool operator==(const DeviceSpec&, const DeviceSpec&) = default;
};

}  // namespace ballast::sim
