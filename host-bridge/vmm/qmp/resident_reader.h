// How much host memory is behind a guest: without it nobody knows whether a balloon's pages came back.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "common/base/maybe.h"
#include "common/base/time.h"
#include "common/os/file_reader.h"
#include "host-bridge/vmm/qmp/qmp_client.h"

namespace ballast::vmm::qmp {

// Of one VM, through /proc/PID/status of the process at the other end of its monitor.
class ResidentReader {
 public:
  explicit ResidentReader(FileReader files) : files_(std::move(files)) {}

  // A monitor has just come up: asks QEMU whether it emulates the processors.
  void Begin(Client& client, Nanos timeout);

  // Bytes of guest memory in QEMU's memory; `other_bytes` of it may lie in memory devices that the balloon's
  // base leaves out, and are left out here. Guest RAM is of one kind (private, shared, huge pages), so the
  // largest kind is at most a little more than it. QEMU's own heap is private too, and with emulated
  // processors its translated code is as well: then only the other kinds count. Nothing where it cannot be
  // read: such a VM is driven all the same, and rule 13 does not look at it.
  [[nodiscard]] Maybe<int64_t> Read(Client& client, int64_t other_bytes) const;

 private:
  FileReader files_;
  // Until QEMU says that it is not. Shared with the answer, which may come when the reader is gone.
  std::shared_ptr<bool> emulated_ = std::make_shared<bool>(true);
};

}  // namespace ballast::vmm::qmp
