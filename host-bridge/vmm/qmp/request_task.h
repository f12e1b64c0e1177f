// The two orders that need no answer of the guest: a size for a virtio-mem device, and the removal of
// backends that no device uses.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host-bridge/vmm/qmp/device_task.h"

namespace ballast::vmm::qmp {

class RequestTask final : public DeviceTask {
 public:
  RequestTask(Tools tools, Done done, std::string device, int64_t bytes)
      : DeviceTask(std::move(tools), std::move(done)), device_(std::move(device)), bytes_(bytes) {}

  void Start() override;

 private:
  [[nodiscard]] absl::Status Check() const;

  const std::string device_;
  const int64_t bytes_;
};

class OrphanTask final : public DeviceTask {
 public:
  using DeviceTask::DeviceTask;

  void Start() override;

 private:
  void Remove();

  std::vector<std::string> left_;
  absl::Status first_fault_;
};

}  // namespace ballast::vmm::qmp
