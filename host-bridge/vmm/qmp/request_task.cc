#include "host-bridge/vmm/qmp/request_task.h"

#include <utility>

#include "common/base/text.h"

namespace ballast::vmm::qmp {

namespace json = boost::json;

absl::Status RequestTask::Check() const {
  const DeviceList::Entry* entry = Find(device_);
  if (entry == nullptr) return absl::NotFoundError(StrCat("the VM has no memory device '", device_, "'"));
  const MemoryDevice& device = entry->device;
  if (device.kind != DeviceKind::kVirtioMem || !device.ours) {
    return absl::InvalidArgumentError(StrCat("'", device_, "' is no virtio-mem device with an id"));
  }
  if (bytes_ < 0 || bytes_ > device.most_bytes || bytes_ % device.block_bytes != 0) {
    return absl::InvalidArgumentError(StrCat("a size of ", bytes_, " bytes for '", device_,
                                             "': expected a multiple of ", device.block_bytes, " from 0 to ",
                                             device.most_bytes));
  }
  return absl::OkStatus();
}

void RequestTask::Start() {
  if (const absl::Status fault = Check(); !fault.ok()) return Finish(fault, device_);
  Ask("qom-set",
      {{"path", StrCat("/machine/peripheral/", device_)}, {"property", "requested-size"}, {"value", bytes_}},
      [this](const absl::StatusOr<json::value>& result) {
        if (!result.ok()) return Finish(result.status(), device_);
        // Changes are announced at most once a second.
        tools_.watch->FollowUp();
        Read([this] { Finish(absl::OkStatus(), device_); });
      });
}

void OrphanTask::Start() {
  Read([this] {
    left_ = tools_.watch->devices().orphans;
    Remove();
  });
}

void OrphanTask::Remove() {
  if (left_.empty()) return Read([this] { Finish(first_fault_, ""); });
  const std::string backend = std::move(left_.back());
  left_.pop_back();
  Ask("object-del", {{"id", backend}}, [this, backend](const absl::StatusOr<json::value>& result) {
    if (IsLost(result.status())) return Finish(result.status(), "");
    if (!result.ok() && first_fault_.ok()) first_fault_ = WithContext(backend, result.status());
    Remove();
  });
}

}  // namespace ballast::vmm::qmp
