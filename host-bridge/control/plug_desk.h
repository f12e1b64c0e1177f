// One guest's plugged memory on its way: carries one change at a time out, over the VM's memory devices and
// the guest's link, and cleans up what an earlier bridge left.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "host-bridge/control/guest_mailbox.h"
#include "host-bridge/hotplug/task.h"
#include "host-bridge/session/guest_link.h"
#include "host-bridge/vmm/memory_devices.h"

namespace ballast::control {

class PlugDesk {
 public:
  // Both outlive it; `devices` null: nothing can be plugged into this VM.
  PlugDesk(vmm::MemoryDevices* devices, session::GuestLink* link) : devices_(devices), link_(link) {}

  // What of the news is for it.
  void Take(const GuestNews& news);
  // A change that has ended.
  struct Ended {
    uint64_t ticket = 0;
    hotplug::Result result;
  };
  // Brings what is requested to `target_bytes`. A change under way is called off first, unless it has the
  // same target or grows beyond it; the last target wins. The ticket of the change that brings it there: of
  // the one under way, or a new one; 0: the VMM does not answer.
  uint64_t Want(int64_t target_bytes, MonotonicTime now);
  // What is under way ends at the next place where nothing is half done, and nothing follows.
  void CallOff();
  // It is under way, or comes next.
  [[nodiscard]] bool IsUnderWay(uint64_t ticket) const;
  // The guest starts anew: whatever was under way is void.
  void Forget();
  // Does what can be done now. A change that has ended with this step.
  [[nodiscard]] std::optional<Ended> Step(MonotonicTime now);

  // "virtio-mem" or "dimm": how the next growth comes.
  [[nodiscard]] std::string GrowsBy() const;
  // Memory is being taken out, or was a moment ago: the guest's own trend still shows it.
  [[nodiscard]] bool IsShrinking(MonotonicTime now) const {
    return (task_ != nullptr && shrinks_) || (shrank_at_ && now - *shrank_at_ < Seconds(3));
  }
  [[nodiscard]] bool IsBusy() const { return task_ != nullptr; }
  // When it wants to be stepped without news; only while it is busy.
  [[nodiscard]] MonotonicTime NextLook() const { return task_->NextLook(); }
  [[nodiscard]] const std::optional<Sampled<vmm::DeviceReading>>& devices() const { return reading_; }

 private:
  struct Next {
    uint64_t ticket = 0;
    int64_t target_bytes = 0;
  };
  void Begin(const Next& change, MonotonicTime now);
  void Send(const hotplug::Order& order);

  vmm::MemoryDevices* devices_;
  session::GuestLink* link_;
  std::optional<Sampled<vmm::DeviceReading>> reading_;
  std::unique_ptr<hotplug::Task> task_;
  // Of the task: its ticket, its target, whether it shrinks, and whether it was called off.
  uint64_t ticket_ = 0;
  int64_t target_ = 0;
  bool shrinks_ = false;
  bool called_off_ = false;
  std::optional<MonotonicTime> shrank_at_;  // when a task that shrank ended
  std::optional<Next> next_;                // once the task has ended
  bool cleaned_ = false;                    // orphans of before were removed, on this connection
  uint64_t tickets_ = 0;
};

}  // namespace ballast::control
