// Everything the balloon's numbers depend on, read from QEMU in one go.
#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "common/base/time.h"
#include "common/base/units.h"
#include "host-bridge/vmm/qmp/qmp_client.h"

namespace ballast::vmm::qmp {

struct MachineFacts {
  int64_t base_bytes = 0;   // boot memory + DIMMs: QEMU's number when the balloon is empty
  int64_t other_bytes = 0;  // memory devices that the base leaves out (virtio-mem); below 0: a DIMM just came
  GuestVisibleBytes actual;  // may exceed the base if a DIMM came between the answers
  bool running = true;

  friend bool operator==(const MachineFacts&, const MachineFacts&) = default;
};

// Sends four queries at once and calls `done` after the last answer, or, if they cannot be sent, before it
// returns. FAILED_PRECONDITION when the VM has no balloon; else the first error, naming the query.
void ReadMachine(Client& client, Nanos timeout,
                 std::function<void(const absl::StatusOr<MachineFacts>&)> done);

}  // namespace ballast::vmm::qmp
