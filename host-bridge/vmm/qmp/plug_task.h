// Plugs one DIMM: a backend like that of the boot memory, then the device, or neither.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "host-bridge/vmm/qmp/device_task.h"

namespace ballast::vmm::qmp {

class PlugTask final : public DeviceTask {
 public:
  PlugTask(Tools tools, Done done, int64_t bytes)
      : DeviceTask(std::move(tools), std::move(done)), bytes_(bytes) {}

  void Start() override;

 private:
  // Of the boot memory, and so of what is plugged beside it: a device that reads guest memory by itself
  // (vhost-user) must be able to read all of it, and huge pages were somebody's choice.
  struct Kind {
    bool share = false;
    bool huge_pages = false;
    int64_t page_bytes = 0;  // of huge pages; 0: the host's default
  };

  [[nodiscard]] absl::Status CheckRoom() const;
  void ChooseNames();
  void FindBootMemory();
  void ReadKind(const Backend& boot);
  void ReadHugePages(const std::string& path);
  void AddBackend();
  void AddDevice();
  void AddDeviceAt(std::optional<int64_t> address);
  void RollBack(const absl::Status& why);

  const int64_t bytes_;
  Kind kind_;
  std::string backend_;
  std::string device_;
};

}  // namespace ballast::vmm::qmp
