// A VM with its guest and its agent, as far as hotplug goes: carries out orders, in virtual time, with the
// faults a test asks for.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "common/base/units.h"
#include "host-bridge/hotplug/task.h"

namespace ballast::hotplug {

inline constexpr int64_t kBlock = 128 * kMiB;

struct FakeMachine {
  struct Block {
    bool online = false;
    bool movable = true;
  };
  vmm::DeviceReading devices{.boot_bytes = 512 * kMiB,
                             .devices = {},
                             .free_slots = 16,
                             .free_bytes = 4 * kGiB,
                             .can_plug_dimms = true,
                             .orphans = {}};
  std::map<int64_t, Block> blocks;  // the guest's, by address
  MonotonicTime now{Seconds(1000).count};

  // The guest and its agent.
  bool guest_sees = true;                              // new DIMMs
  bool onlines_by_itself = true;                       // the agent, as soon as it sees a block
  std::set<int64_t> never_online;                      // addresses
  std::set<int64_t> unmovable;                         // blocks that never go offline
  std::vector<observe::BlockRefusal> refuses_offline;  // not empty: its answer, and nothing goes offline
  int stalls = 0;             // how often it stops taking blocks offline because tasks stall
  bool guest_answers = true;  // to an unplug at all
  bool guest_lets_go = true;  // DIMMs whose blocks are offline
  bool agent_up = true;
  absl::Status next_block_answer;  // not OK: the next order is carried out, and answered with this
  int refusals = 0;                // how many orders to bring blocks online it refuses as too many
  // The VMM.
  bool vmm_up = true;
  bool drops_next_order = false;  // never carried out, and answered as lost
  bool loses_answers = false;     // of unplugs: carried out, but never said
  int64_t virtio_keeps = 0;       // bytes that never leave a virtio-mem device
  int64_t virtio_takes_at_most = int64_t{1} << 40;
  int nudges_needed = 0;  // requests that must change before virtio-mem gives anything

  FakeMachine() { AddBlocks(0, devices.boot_bytes, false); }
  vmm::MemoryDevice& AddVirtioMem(int64_t most_bytes);
  // A DIMM in use, of ours.
  std::string AddDimm(int64_t bytes);

  // Carries an order out and says what became of it.
  std::variant<vmm::DeviceReceipt, observe::BlockReceipt> Carry(const Order& order);
  // Runs `task` to its end; `fault` is called before each order. False when it does not end within an hour.
  bool Run(Task& task, const std::function<void(const Order&)>& fault = nullptr);

  int64_t OnlineBytes() const;
  std::vector<std::string> DimmIds() const;
  // What must hold whatever happened: no block without its device, no DIMM half online, every slot and every
  // byte of address space accounted for, no backend without a device. Empty: all is well.
  std::vector<std::string> Leaks() const;

 private:
  void AddBlocks(int64_t address, int64_t bytes, bool is_new);
  vmm::DeviceReceipt CarryOnDevices(const Order& order);
  vmm::DeviceReceipt Plug(uint64_t id, const PlugDimm& plug);
  vmm::DeviceReceipt Unplug(uint64_t id, const UnplugDimm& unplug);
  vmm::DeviceReceipt Request(uint64_t id, const RequestSize& request);
  observe::BlockReceipt Blocks(const observe::BlockOrder& order);
  observe::BlockReceipt Offline(const observe::BlockOrder& order);

  vmm::DeviceReading said_;
  MonotonicTime said_at_ = now;
  int next_ = 1;
  int64_t next_address_ = 4 * kGiB;
};

}  // namespace ballast::hotplug
