#include "host-bridge/control/plug_desk.h"

#include <utility>
#include <variant>

namespace ballast::control {
namespace {

// Each task numbers its orders in a range of its own, so that a late receipt meets nobody. Id 0 is the
// cleaning's, whose receipt nobody waits for.
constexpr uint64_t kIdsPerTask = uint64_t{1} << 32;

}  // namespace

void PlugDesk::Take(const GuestNews& news) {
  if (news.vmm_lost) {
    reading_.reset();
    cleaned_ = false;
  }
  if (news.devices) reading_ = news.devices;
  if (news.block_bytes > 0 && devices_ != nullptr) devices_->SetGuestBlock(news.block_bytes);
  if (task_ == nullptr) return;
  for (const vmm::DeviceReceipt& receipt : news.device_receipts) task_->OnReceipt(receipt);
  for (const observe::BlockReceipt& receipt : news.block_receipts) task_->OnBlocks(receipt);
}

uint64_t PlugDesk::Want(int64_t target_bytes, MonotonicTime now) {
  if (devices_ == nullptr || link_ == nullptr) return 0;
  if (task_ == nullptr) {
    Begin({++tickets_, target_bytes}, now);
    return task_ != nullptr ? ticket_ : 0;
  }
  next_.reset();
  const bool on_the_way = !shrinks_ && reading_ && target_bytes <= target_ &&
                          target_bytes >= hotplug::RequestedBytes(reading_->value);
  if (!called_off_ && (target_bytes == target_ || on_the_way)) return ticket_;
  CallOff();
  next_ = Next{++tickets_, target_bytes};
  return next_->ticket;
}

void PlugDesk::CallOff() {
  next_.reset();
  if (task_ == nullptr) return;
  called_off_ = true;
  task_->Cancel();
}

bool PlugDesk::IsUnderWay(uint64_t ticket) const {
  return (task_ != nullptr && ticket_ == ticket) || (next_ && next_->ticket == ticket);
}

void PlugDesk::Begin(const Next& change, MonotonicTime now) {
  if (!reading_) return;  // decided on what the VMM said, and it no longer says anything
  const int64_t requested = hotplug::RequestedBytes(reading_->value);
  ticket_ = change.ticket;
  target_ = change.target_bytes;
  shrinks_ = target_ < requested;
  called_off_ = false;
  task_ = hotplug::MakeTask(requested, target_, now, ticket_ * kIdsPerTask);
}

void PlugDesk::Forget() {
  task_.reset();
  next_.reset();
}

std::optional<PlugDesk::Ended> PlugDesk::Step(MonotonicTime now) {
  if (task_ == nullptr) {
    const bool dirty = reading_ && !reading_->value.orphans.empty() && !cleaned_;
    if (dirty && devices_ != nullptr) {
      cleaned_ = true;
      devices_->RemoveOrphans(0);
    }
    return std::nullopt;
  }
  task_->Step({now, reading_});
  for (const hotplug::Order& order : task_->TakeOrders()) Send(order);
  if (!task_->result()) return std::nullopt;
  const Ended ended{ticket_, *task_->result()};
  task_.reset();
  if (shrinks_) shrank_at_ = now;
  if (const auto next = std::exchange(next_, std::nullopt)) Begin(*next, now);
  return ended;
}

std::string PlugDesk::GrowsBy() const {
  if (reading_) {
    for (const vmm::MemoryDevice& device : reading_->value.devices) {
      if (device.kind == vmm::DeviceKind::kVirtioMem && device.requested_bytes < device.most_bytes)
        return "virtio-mem";
    }
  }
  return "dimm";
}

void PlugDesk::Send(const hotplug::Order& order) {
  struct Sender {
    PlugDesk& desk;
    uint64_t id;
    void operator()(const hotplug::PlugDimm& plug) const { desk.devices_->Plug(id, plug.bytes); }
    void operator()(const hotplug::UnplugDimm& unplug) const {
      desk.devices_->Unplug(id, unplug.device, unplug.deadline);
    }
    void operator()(const hotplug::RequestSize& request) const {
      desk.devices_->Request(id, request.device, request.bytes);
    }
    void operator()(const hotplug::RemoveOrphans&) const { desk.devices_->RemoveOrphans(id); }
    void operator()(const observe::BlockOrder& blocks) const { desk.link_->Order(blocks); }
    void operator()(const hotplug::CallOff&) const { desk.link_->CallOff(id); }
  };
  std::visit(Sender{*this, order.id}, order.what);
}

}  // namespace ballast::control
