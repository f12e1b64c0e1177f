#include "host-bridge/vmm/qmp/device_orders.h"

#include <utility>

#include "common/base/text.h"

namespace ballast::vmm::qmp {

void DeviceOrders::Add(uint64_t id, std::string device, Make make) {
  if (const absl::Status why = tools_.watch->WhyNotReady(); !why.ok()) return Give(id, why, device);
  if (waiting_.size() >= kMaxWaiting) {
    return Give(id,
                absl::ResourceExhaustedError(StrCat(kMaxWaiting, " orders for memory devices wait already")),
                device);
  }
  waiting_.push_back({id, std::move(device), std::move(make)});
  if (!task_) Next();
}

void DeviceOrders::Next() {
  task_.reset();
  if (waiting_.empty() || !tools_.watch->IsReady()) return;
  const Order order = std::move(waiting_.front());
  waiting_.pop_front();
  const auto done = [self = weak_from_this(), id = order.id](const absl::Status& status,
                                                             const std::string& device) {
    const auto orders = self.lock();
    if (!orders) return;
    orders->Give(id, status, device);
    orders->Next();
  };
  const std::shared_ptr<DeviceTask> task = order.make(tools_, done);
  task_ = task;
  task->Start();
}

void DeviceOrders::Give(uint64_t id, const absl::Status& status, const std::string& device) {
  DeviceReceipt receipt;
  receipt.id = id;
  receipt.status = status;
  receipt.device = device;
  tools_.vm->device_gate.Call(&DeviceObserver::OnDeviceReceipt, receipt);
}

void DeviceOrders::OnEvent(const Event& event) {
  if (const auto task = task_) task->OnEvent(event);
}

void DeviceOrders::End(const absl::Status& why) {
  if (const auto task = task_) task->OnDown(why);
  for (const Order& order : std::exchange(waiting_, {})) {
    Give(order.id, tools_.watch->WhyNotReady(), order.device);
  }
}

void DeviceOrders::OnReady() {
  if (const auto task = task_) task->OnReady();
}

void DeviceOrders::Stop() {
  task_.reset();
  waiting_.clear();
}

}  // namespace ballast::vmm::qmp
