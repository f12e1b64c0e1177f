// One order for a VM's memory devices while it is carried out: a few commands, perhaps the guest's answer,
// one result.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "host-bridge/vmm/qmp/balloon_commands.h"
#include "host-bridge/vmm/qmp/machine_watch.h"
#include "host-bridge/vmm/qmp/vm_context.h"

namespace ballast::vmm::qmp {

// Use through std::make_shared.
class DeviceTask : public std::enable_shared_from_this<DeviceTask> {
 public:
  struct Tools {
    std::shared_ptr<VmContext> vm;
    std::shared_ptr<MachineWatch> watch;
    std::shared_ptr<BalloonCommands> balloon;
  };
  // Called once, perhaps from inside Start. `device`: as in DeviceReceipt.
  using Done = std::function<void(const absl::Status& status, const std::string& device)>;

  DeviceTask(Tools tools, Done done) : tools_(std::move(tools)), done_(std::move(done)) {}
  virtual ~DeviceTask() = default;
  DeviceTask(const DeviceTask&) = delete;
  DeviceTask& operator=(const DeviceTask&) = delete;

  // While the VM is ready.
  virtual void Start() = 0;
  virtual void OnEvent(const Event& /*event*/) {}
  // The connection is gone, and all answers have come. Who does not survive that ends here.
  virtual void OnDown(const absl::Status& why);
  // A new connection has been read.
  virtual void OnReady() {}

 protected:
  void Finish(const absl::Status& status, const std::string& device);
  // The answer is dropped once the task has ended.
  void Ask(std::string_view command, boost::json::object arguments,
           std::function<void(const absl::StatusOr<boost::json::value>&)> then);
  // Everything anew; the task ends where that fails.
  void Read(std::function<void()> then);
  // The entry of this device; nullptr when the VM has none of this name.
  [[nodiscard]] const DeviceList::Entry* Find(const std::string& device) const;

  const Tools tools_;

 private:
  Done done_;  // empty once the task has ended
};

// The connection was lost, so that nobody knows whether the command was carried out.
[[nodiscard]] inline bool IsLost(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

// QEMU's refusal (which says nothing but "GenericError") as one for want of resources, where nothing else is
// left that could be missing.
[[nodiscard]] absl::Status AsExhausted(const absl::Status& status);

}  // namespace ballast::vmm::qmp
