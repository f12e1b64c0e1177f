// The balloon and what can be plugged, as the VMM was started with them, and their real speeds.
#pragma once

#include <cstdint>

#include "common/base/time.h"
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

  // Memory that can be plugged beside the boot memory, in units of 128 MiB; 0: none.
  int64_t plug_bytes = 0;
  // From the command until the guest begins to bring it online, and how fast it does: ACPI, the agent's
  // notice of the block, and 5 ms for one of 128 MiB.
  Nanos plug_latency = Milliseconds(60);
  int64_t online_bytes_per_second = 24 * kGiB;
  // Taking blocks offline again moves or drops what lives there.
  int64_t offline_bytes_per_second = kGiB;
  // Of what is plugged, the share that the guest does not bring online, and the share that never leaves
  // again.
  int32_t plug_refused_permyriad = 0;
  int32_t plug_stays_permyriad = 0;

  friend bool operator==(const DeviceSpec&, const DeviceSpec&) = default;
};

}  // namespace ballast::sim
