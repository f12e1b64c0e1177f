// A change of a guest's plugged memory that takes several steps on both sides of the VM's border. Nothing is
// counted before it is proved: a plug by the guest's own list of blocks, an unplug by the VMM's list of
// devices. A task waits for one answer at a time and never blocks; what it wants done it hands out as orders.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "common/base/sampled.h"
#include "common/base/time.h"
#include "host-bridge/hotplug/growth.h"
#include "host-bridge/observe/blocks.h"
#include "host-bridge/vmm/memory_devices.h"

namespace ballast::hotplug {

struct PlugDimm {
  int64_t bytes = 0;
  friend bool operator==(const PlugDimm&, const PlugDimm&) = default;
};
struct UnplugDimm {
  std::string device;
  Nanos deadline;
  friend bool operator==(const UnplugDimm&, const UnplugDimm&) = default;
};
struct RequestSize {  // of a virtio-mem device
  std::string device;
  int64_t bytes = 0;
  friend bool operator==(const RequestSize&, const RequestSize&) = default;
};
struct RemoveOrphans {
  friend bool operator==(const RemoveOrphans&, const RemoveOrphans&) = default;
};

// The agent shall stop what it does for the BlockOrder of this id.
struct CallOff {
  friend bool operator==(const CallOff&, const CallOff&) = default;
};

// The id is in the receipt that answers it; of a BlockOrder it is in the order, too. A CallOff has that of
// the order it is about, and no receipt of its own.
struct Order {
  uint64_t id = 0;
  std::variant<PlugDimm, UnplugDimm, RequestSize, RemoveOrphans, observe::BlockOrder, CallOff> what;
  friend bool operator==(const Order&, const Order&) = default;
};

// What a task may look at. Absent: the VMM does not answer at present.
struct Scene {
  MonotonicTime now;
  std::optional<Sampled<vmm::DeviceReading>> devices;
};

// How a task ended.
struct Result {
  absl::Status status;  // OK: all of it
  int64_t from_bytes =
      0;  // plugged and in use (grow), plugged (shrink), before and after; all devices that are ours
  int64_t reached_bytes = 0;
  int64_t target_bytes = 0;
  std::vector<observe::BlockRefusal> refused = {};  // blocks that would not change, with reasons

  friend bool operator==(const Result&, const Result&) = default;
};

// Times that a task keeps to. The reasons are in docs/architecture.md.
struct Patience {
  Nanos vmm = Seconds(30);         // without a reading of the devices
  Nanos agent = Seconds(60);       // without an answer of the agent: it restarts within seconds
  Nanos online = Seconds(2);       // until the agent, which acts by itself, is told to bring blocks online
  Nanos arrival = Seconds(10);     // without progress, of memory that was plugged
  Nanos offline = Seconds(30);     // for taking one DIMM's blocks offline, and
  Nanos offline_gib = Seconds(8);  // more for each GiB of it; the agent keeps it offline longer by the same
  Nanos relief = Seconds(2);       // for a guest whose tasks stalled, before it is asked for that DIMM again
  Nanos detach = Seconds(10);      // for the guest's answer to an unplug
  Nanos put_back = Seconds(120);   // then the agent brings blocks back that nobody unplugged
  Nanos departure = Seconds(15);   // without progress, of virtio-mem that shall leave
  Nanos nudge = Seconds(3);  // the driver retries a request that stands still after 50 s, a new one at once
};

class Task {
 public:
  virtual ~Task() = default;
  // The next orders, if any. To be called whenever something came or NextLook() is over.
  virtual void Step(const Scene& scene) = 0;
  virtual void OnReceipt(const vmm::DeviceReceipt& receipt) = 0;
  virtual void OnBlocks(const observe::BlockReceipt& receipt) = 0;
  // Ends at the next place where nothing is half done.
  virtual void Cancel() = 0;
  // When it wants to be stepped next without any news; far ahead while it waits for an answer.
  [[nodiscard]] virtual MonotonicTime NextLook() const = 0;
  // Once: the orders given since the last call.
  [[nodiscard]] virtual std::vector<Order> TakeOrders() = 0;
  // Set when it is over; nothing follows then.
  [[nodiscard]] virtual const std::optional<Result>& result() const = 0;
};

// Brings what is requested from `from_bytes` to `target_bytes`, by whichever devices the VM has.
// `first_id`: the ids of its orders count from there.
[[nodiscard]] std::unique_ptr<Task> MakeTask(int64_t from_bytes, int64_t target_bytes, MonotonicTime now,
                                             uint64_t first_id, const Patience& patience = {});

}  // namespace ballast::hotplug
