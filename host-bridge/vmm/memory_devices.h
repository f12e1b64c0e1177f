// The memory devices of one VM: what was plugged into it, and the hands to plug and unplug. Calls return at
// once; results arrive through the observer, on the thread of the VM's actuator, never from inside a call.
// A VMM's "success" means "recorded" only: what really happened is in later readings, and whether the guest
// uses it only the guest can say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/base/sampled.h"
#include "common/base/time.h"

namespace ballast::vmm {

// Linux takes a DIMM only when it is made of whole memory blocks; one of another size is accepted by the VMM
// and refused by the guest. The blocks are of this size on x86 below 64 GiB of memory, and may be larger, up
// to 2 GiB, above.
inline constexpr int64_t kLeastDimmUnit = int64_t{128} << 20;

enum class DeviceKind : uint8_t { kDimm, kVirtioMem };

struct MemoryDevice {
  DeviceKind kind = DeviceKind::kDimm;
  std::string id = {};          // the VMM's, unique in the VM; never empty
  int64_t address = 0;          // guest-physical, of its first byte
  int64_t size_bytes = 0;       // a DIMM's size; of virtio-mem what the guest has taken
  int64_t requested_bytes = 0;  // virtio-mem: what it was asked to take; a DIMM's size
  int64_t most_bytes = 0;       // virtio-mem: the largest request; a DIMM's size
  int64_t block_bytes = 0;      // virtio-mem: requests are multiples of it; a DIMM's size
  // Ballast plugged it (its id says so), or it is virtio-mem, whose size is anybody's to set. Others are left
  // alone.
  bool ours = false;

  friend bool operator==(const MemoryDevice&, const MemoryDevice&) = default;
};

// Everything about a VM's plugged memory, read in one go.
struct DeviceReading {
  int64_t boot_bytes = 0;
  std::vector<MemoryDevice> devices = {};    // by address
  int64_t free_slots = 0;                    // DIMMs that can still be added
  int64_t free_bytes = 0;                    // address space left for new DIMMs
  bool can_plug_dimms = false;               // slots and address space were given to this VM
  int64_t dimm_unit_bytes = kLeastDimmUnit;  // a new DIMM is a multiple of it
  std::vector<std::string> orphans = {};     // backends that Ballast made and no device uses

  friend bool operator==(const DeviceReading&, const DeviceReading&) = default;
};

// What happened to one order.
struct DeviceReceipt {
  uint64_t id = 0;  // the caller's
  // OK: done as far as the VMM can tell. FAILED_PRECONDITION: the guest refused (unplug). RESOURCE_EXHAUSTED:
  // no slot, address space or host memory is left. INVALID_ARGUMENT: size or alignment. NOT_FOUND: no such
  // device. DEADLINE_EXCEEDED: no answer from the guest (unplug) or the VMM; it may still happen.
  // UNAVAILABLE: not connected, or the connection was lost meanwhile; it may have happened.
  absl::Status status;
  std::string device;  // the device's id: of Plug the new one

  friend bool operator==(const DeviceReceipt&, const DeviceReceipt&) = default;
};

class DeviceObserver {
 public:
  virtual ~DeviceObserver() = default;
  // After connecting, and whenever a device came, went or changed its size.
  virtual void OnDevices(const Sampled<DeviceReading>& reading) = 0;
  virtual void OnDeviceReceipt(const DeviceReceipt& receipt) = 0;
};

// Orders are carried out one at a time, in order; at most 64 wait (further ones: RESOURCE_EXHAUSTED).
class MemoryDevices {
 public:
  virtual ~MemoryDevices() = default;
  // The guest's memory blocks are of so many bytes: from now on DIMMs are made of whole ones.
  virtual void SetGuestBlock(int64_t bytes) = 0;
  // A new DIMM. `bytes`: a multiple of dimm_unit_bytes. When adding the device fails, its backend is removed
  // again.
  virtual void Plug(uint64_t id, int64_t bytes) = 0;
  // Asks the guest to let a DIMM go, waits for its answer until `deadline`, and removes the backend.
  virtual void Unplug(uint64_t id, const std::string& device, Nanos deadline) = 0;
  // Asks a virtio-mem device to take this much. Where it stands still, ask with another number: the driver
  // retries the same one after minutes only.
  virtual void Request(uint64_t id, const std::string& device, int64_t bytes) = 0;
  // Removes the backends that no device uses.
  virtual void RemoveOrphans(uint64_t id) = 0;
};

}  // namespace ballast::vmm
