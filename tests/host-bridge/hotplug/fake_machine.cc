#include "tests/host-bridge/hotplug/fake_machine.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "common/base/text.h"

namespace ballast::hotplug {
namespace {

constexpr int64_t kTotalSlots = 16;
constexpr int64_t kTotalSpace = 4 * kGiB;

bool Covers(const observe::BlockOrder& order, int64_t address) {
  if (order.ranges.empty()) return true;
  return std::any_of(order.ranges.begin(), order.ranges.end(), [&](const observe::AddressRange& range) {
    return address >= range.address && address + kBlock <= range.address + range.bytes;
  });
}

}  // namespace

void FakeMachine::AddBlocks(int64_t address, int64_t bytes, bool is_new) {
  for (int64_t at = address; at < address + bytes; at += kBlock) {
    if (blocks.contains(at)) continue;
    Block block;
    block.movable = is_new;
    block.online = !is_new || (onlines_by_itself && agent_up && !never_online.contains(at));
    blocks[at] = block;
  }
}

vmm::MemoryDevice& FakeMachine::AddVirtioMem(int64_t most_bytes) {
  vmm::MemoryDevice device;
  device.kind = vmm::DeviceKind::kVirtioMem;
  device.id = StrCat("vm", devices.devices.size());
  device.address = next_address_;
  device.most_bytes = most_bytes;
  device.block_bytes = 2 * kMiB;
  device.ours = true;
  next_address_ += most_bytes;
  return devices.devices.emplace_back(device);
}

std::string FakeMachine::AddDimm(int64_t bytes) { return Plug(0, {bytes}).device; }

vmm::DeviceReceipt FakeMachine::Plug(uint64_t id, const PlugDimm& plug) {
  if (plug.bytes <= 0 || plug.bytes % kBlock != 0) return {id, absl::InvalidArgumentError("size"), ""};
  if (devices.free_slots == 0 || devices.free_bytes < plug.bytes)
    return {id, absl::ResourceExhaustedError("no slot is free"), ""};
  vmm::MemoryDevice device;
  device.id = StrCat("ballast-dimm-", next_++);
  device.address = next_address_;
  device.size_bytes = device.requested_bytes = device.most_bytes = device.block_bytes = plug.bytes;
  device.ours = true;
  next_address_ += plug.bytes;
  devices.devices.push_back(device);
  --devices.free_slots;
  devices.free_bytes -= plug.bytes;
  if (guest_sees) AddBlocks(device.address, plug.bytes, true);
  return {id, absl::OkStatus(), device.id};
}

vmm::DeviceReceipt FakeMachine::Unplug(uint64_t id, const UnplugDimm& unplug) {
  const auto device = std::find_if(devices.devices.begin(), devices.devices.end(),
                                   [&](const auto& each) { return each.id == unplug.device; });
  if (device == devices.devices.end()) return {id, absl::NotFoundError("no such device"), unplug.device};
  if (!guest_answers) {
    now = now + unplug.deadline;
    return {id, absl::DeadlineExceededError("the guest did not answer"), unplug.device};
  }
  const int64_t end = device->address + device->size_bytes;
  const bool in_use = std::any_of(blocks.begin(), blocks.end(), [&](const auto& block) {
    return block.first >= device->address && block.first < end && block.second.online;
  });
  if (!guest_lets_go || in_use)
    return {id, absl::FailedPreconditionError("the guest refused"), unplug.device};
  std::erase_if(blocks, [&](const auto& b) { return b.first >= device->address && b.first < end; });
  ++devices.free_slots;
  devices.free_bytes += device->size_bytes;
  if (loses_answers) devices.orphans.push_back(StrCat("backend of ", unplug.device));
  devices.devices.erase(device);
  if (loses_answers) return {id, absl::UnavailableError("the connection was lost"), unplug.device};
  return {id, absl::OkStatus(), unplug.device};
}

vmm::DeviceReceipt FakeMachine::Request(uint64_t id, const RequestSize& request) {
  for (vmm::MemoryDevice& device : devices.devices) {
    if (device.id != request.device) continue;
    if (request.bytes % device.block_bytes != 0 || request.bytes > device.most_bytes)
      return {id, absl::InvalidArgumentError("size"), device.id};
    device.requested_bytes = request.bytes;
    if (request.bytes > device.size_bytes) {
      device.size_bytes = std::min(request.bytes, virtio_takes_at_most);
      AddBlocks(device.address, device.size_bytes, true);
    } else if (--nudges_needed < 0) {
      device.size_bytes = std::max(request.bytes, virtio_keeps);
      std::erase_if(blocks, [&](const auto& block) {
        return block.first >= device.address + device.size_bytes &&
               block.first < device.address + device.most_bytes;
      });
    }
    return {id, absl::OkStatus(), device.id};
  }
  return {id, absl::NotFoundError("no such device"), request.device};
}

observe::BlockReceipt FakeMachine::Offline(const observe::BlockOrder& order) {
  observe::BlockReceipt receipt{.id = order.id, .status = {}, .block_bytes = kBlock};
  if (!refuses_offline.empty()) {
    receipt.refused = refuses_offline;
    return receipt;
  }
  std::vector<int64_t> done;
  receipt.pressed = stalls > 0;
  stalls -= receipt.pressed ? 1 : 0;
  for (auto& [address, block] : blocks) {
    if (!Covers(order, address) || !block.online) continue;
    if (receipt.pressed) {
      receipt.refused.push_back({address, 0, "not tried: tasks stalled on memory"});
    } else if (unmovable.contains(address)) {
      receipt.refused.push_back({address, 16, "pages in it cannot be moved"});
    } else {
      block.online = false;
      done.push_back(address);
    }
  }
  if (order.all_or_nothing && !receipt.refused.empty()) {
    for (const int64_t address : done) blocks[address].online = true;
    done.clear();
  }
  receipt.changed_bytes = static_cast<int64_t>(done.size()) * kBlock;
  return receipt;
}

observe::BlockReceipt FakeMachine::Blocks(const observe::BlockOrder& order) {
  if (!agent_up) return {.id = order.id, .status = absl::UnavailableError("there is no link to its agent")};
  if (order.action == observe::BlockAction::kOffline) return Offline(order);
  if (order.action == observe::BlockAction::kOnline && refusals > 0) {
    --refusals;
    return {.id = order.id, .status = absl::ResourceExhaustedError("too many calls at once")};
  }
  observe::BlockReceipt receipt{.id = order.id, .status = {}, .block_bytes = kBlock};
  for (auto& [address, block] : blocks) {
    if (order.action == observe::BlockAction::kList) {
      const auto state = block.online ? observe::BlockState::kOnline : observe::BlockState::kOffline;
      receipt.spans.push_back({{address, kBlock}, state, block.online && block.movable});
    } else if (Covers(order, address) && !block.online) {
      if (never_online.contains(address)) {
        receipt.refused.push_back({address, 12, "no memory is left for its metadata"});
      } else {
        block.online = true;
        receipt.changed_bytes += kBlock;
      }
    }
  }
  return receipt;
}

std::variant<vmm::DeviceReceipt, observe::BlockReceipt> FakeMachine::Carry(const Order& order) {
  const auto* blocks_order = std::get_if<observe::BlockOrder>(&order.what);
  if (blocks_order == nullptr) return CarryOnDevices(order);
  observe::BlockReceipt receipt = Blocks(*blocks_order);
  if (next_block_answer.ok()) return receipt;
  return observe::BlockReceipt{.id = order.id, .status = std::exchange(next_block_answer, absl::OkStatus())};
}

vmm::DeviceReceipt FakeMachine::CarryOnDevices(const Order& order) {
  if (std::exchange(drops_next_order, false) || !vmm_up)
    return {order.id, absl::UnavailableError("QEMU is not connected"), ""};
  if (const auto* plug = std::get_if<PlugDimm>(&order.what)) return Plug(order.id, *plug);
  if (const auto* unplug = std::get_if<UnplugDimm>(&order.what)) return Unplug(order.id, *unplug);
  if (const auto* request = std::get_if<RequestSize>(&order.what)) return Request(order.id, *request);
  devices.orphans.clear();
  return {order.id, absl::OkStatus(), ""};
}

bool FakeMachine::Run(Task& task, const std::function<void(const Order&)>& fault) {
  const MonotonicTime end = now + Seconds(3600);
  while (now < end) {
    std::optional<Sampled<vmm::DeviceReading>> reading;
    if (devices != said_) said_at_ = now;  // a reading comes when something has changed
    said_ = devices;
    if (vmm_up) reading = Sampled<vmm::DeviceReading>{said_, said_at_};
    task.Step({now, reading});
    const std::vector<Order> orders = task.TakeOrders();
    for (const Order& order : orders) {
      if (fault) fault(order);
      if (std::holds_alternative<CallOff>(order.what)) continue;  // it has no answer of its own
      const auto answer = Carry(order);
      if (const auto* receipt = std::get_if<vmm::DeviceReceipt>(&answer)) {
        task.OnReceipt(*receipt);
      } else {
        task.OnBlocks(std::get<observe::BlockReceipt>(answer));
      }
    }
    if (task.result()) return true;
    if (orders.empty()) now = std::max(now + Milliseconds(10), std::min(task.NextLook(), now + Seconds(1)));
  }
  return false;
}

int64_t FakeMachine::OnlineBytes() const {
  int64_t bytes = 0;
  for (const auto& [address, block] : blocks) bytes += block.online ? kBlock : 0;
  return bytes;
}

std::vector<std::string> FakeMachine::DimmIds() const {
  std::vector<std::string> ids;
  for (const vmm::MemoryDevice& device : devices.devices) {
    if (device.kind == vmm::DeviceKind::kDimm) ids.push_back(device.id);
  }
  return ids;
}

std::vector<std::string> FakeMachine::Leaks() const {
  std::vector<std::string> leaks;
  int64_t slots = devices.free_slots;
  int64_t space = devices.free_bytes;
  for (const vmm::MemoryDevice& device : devices.devices) {
    if (device.kind != vmm::DeviceKind::kDimm) continue;
    ++slots;
    space += device.size_bytes;
    int64_t online = 0;
    for (int64_t at = device.address; at < device.address + device.size_bytes; at += kBlock) {
      const auto block = blocks.find(at);
      online += block != blocks.end() && block->second.online ? kBlock : 0;
    }
    if (online != device.size_bytes) leaks.push_back(StrCat(device.id, ": only ", online, " bytes in use"));
  }
  if (slots != kTotalSlots) leaks.push_back(StrCat(slots, " slots in all"));
  if (space != kTotalSpace) leaks.push_back(StrCat(space, " bytes of address space in all"));
  for (const std::string& orphan : devices.orphans) leaks.push_back(orphan);
  return leaks;
}

}  // namespace ballast::hotplug
