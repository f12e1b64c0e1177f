// The orders for a VM's memory devices: one at a time, in the order they came.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "host-bridge/vmm/qmp/device_task.h"

namespace ballast::vmm::qmp {

// Use through std::make_shared.
class DeviceOrders : public std::enable_shared_from_this<DeviceOrders> {
 public:
  using Make = std::function<std::shared_ptr<DeviceTask>(DeviceTask::Tools, DeviceTask::Done)>;

  static constexpr size_t kMaxWaiting = 64;

  explicit DeviceOrders(DeviceTask::Tools tools) : tools_(std::move(tools)) {}

  // `device`: for the receipt of an order that is never begun.
  void Add(uint64_t id, std::string device, Make make);
  void OnEvent(const Event& event);
  // The connection is gone: what waits is refused.
  void End(const absl::Status& why);
  void OnReady();
  void Stop();

 private:
  struct Order {
    uint64_t id = 0;
    std::string device;
    Make make;
  };

  void Next();
  void Give(uint64_t id, const absl::Status& status, const std::string& device);

  const DeviceTask::Tools tools_;
  std::deque<Order> waiting_;
  std::shared_ptr<DeviceTask> task_;  // the order under way
};

}  // namespace ballast::vmm::qmp
