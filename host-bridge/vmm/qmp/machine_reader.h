// Everything that the balloon's numbers depend on and what is plugged, read from QEMU in one go.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/time.h"
#include "common/base/units.h"
#include "host-bridge/vmm/memory_devices.h"
#include "host-bridge/vmm/qmp/qmp_client.h"

namespace ballast::vmm::qmp {

struct MachineFacts {
  int64_t base_bytes = 0;   // boot memory + DIMMs: QEMU's number when the balloon is empty
  int64_t other_bytes = 0;  // memory devices that the base leaves out (virtio-mem); below 0: a DIMM just came
  GuestVisibleBytes actual;  // may exceed the base if a DIMM came between the answers
  bool running = true;
  int64_t boot_bytes = 0;
  DeviceList devices;
  std::optional<std::vector<Backend>> backends = {};  // absent: not asked for

  friend bool operator==(const MachineFacts&, const MachineFacts&) = default;
};

enum class Depth {
  kNumbers,      // four queries: what changes from one moment to the next
  kAndBackends,  // the backends as well
};

// Sends all queries at once and calls `done` after the last answer, or, if they cannot be sent, before it
// returns. FAILED_PRECONDITION when the VM has no balloon; else the first error, naming the query.
void ReadMachine(Client& client, Depth depth, Nanos timeout,
                 std::function<void(const absl::StatusOr<MachineFacts>&)> done);

// The devices as Ballast sees them. `limits`: absent where QEMU does not say them (before 7.1): then no DIMM
// can be plugged.
[[nodiscard]] DeviceReading DevicesOf(const MachineFacts& facts, const std::optional<MemoryLimits>& limits);

}  // namespace ballast::vmm::qmp
