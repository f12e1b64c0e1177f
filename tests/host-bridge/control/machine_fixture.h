// The loop with a whole VM behind it, in virtual time: memory devices, a guest and its agent that carry
// orders out, and a balloon that moves at once.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host-bridge/control/control_loop.h"
#include "host-bridge/vmm/plug_reading.h"
#include "tests/host-bridge/control/loop_fixture.h"
#include "tests/host-bridge/hotplug/fake_machine.h"

namespace ballast::control {

// Carries out what it is ordered, and leaves the receipt in the mailbox.
class MachineHands final : public vmm::Actuator, public vmm::MemoryDevices, public session::GuestLink {
 public:
  MachineHands(hotplug::FakeMachine& machine, GuestMailbox& mailbox) : machine_(machine), mailbox_(mailbox) {}

  void Start() override {}
  void SetBalloon(uint64_t id, BalloonBytes target) override {
    if (!balloon_sticks) balloon = target.count;
    mailbox_.OnReceipt({.id = id, .target = target, .status = {}, .written_at = {}, .done_at = {}});
  }
  void SetGuestBlock(int64_t bytes) override { machine_.devices.dimm_unit_bytes = bytes; }
  void Plug(uint64_t id, int64_t bytes) override { Carry({id, hotplug::PlugDimm{bytes}}); }
  void Unplug(uint64_t id, const std::string& device, Nanos deadline) override {
    Carry({id, hotplug::UnplugDimm{device, deadline}});
  }
  void Request(uint64_t id, const std::string& device, int64_t bytes) override {
    Carry({id, hotplug::RequestSize{device, bytes}});
  }
  void RemoveOrphans(uint64_t id) override { Carry({id, hotplug::RemoveOrphans{}}); }
  void Order(const observe::BlockOrder& order) override { Carry({order.id, order}); }
  void CallOff(uint64_t order) override { called_off.push_back(order); }
  void Hold() override {}
  void Release() override {}
  void Renew() override {}
  void Answer(const session::MemoryAnswer& answer) override { answers.push_back(answer); }

  int64_t balloon = 0;
  bool balloon_sticks = false;
  bool answers_orders = true;  // on devices and blocks; else they are neither carried out nor answered
  std::vector<session::MemoryAnswer> answers;
  std::vector<uint64_t> called_off;

 private:
  void Carry(const hotplug::Order& order) {
    if (!answers_orders) return;
    const auto answer = machine_.Carry(order);
    if (const auto* receipt = std::get_if<vmm::DeviceReceipt>(&answer)) {
      mailbox_.OnDeviceReceipt(*receipt);
    } else {
      mailbox_.OnBlocks(std::get<observe::BlockReceipt>(answer));
    }
  }

  hotplug::FakeMachine& machine_;
  GuestMailbox& mailbox_;
};

// A guest of 512 MiB with 16 slots for 4 GiB of DIMMs, on a host with plenty.
class MachineTest : public ::testing::Test {
 protected:
  void Manage(policy::GuestLimits limits = {}) {
    limits.name = "db";
    settings_.board = &board_;
    settings_.resizes = &resizes_;
    loop_.emplace(
        settings_, std::vector<ManagedGuest>{{limits, &mailbox_, &hands_, &hands_, &hands_}},
        [this] {
          return Sampled<policy::HostReading>{{16 * kGiB, host_available_, 0, 0}, clock_.now};
        },
        clock_, wakeup_, [this](LogLevel, const std::string& line) { lines_.push_back(line); });
    Tell();
    loop_->Step();
  }

  // All sides say how they are.
  void Tell() {
    machine_.now = clock_.now;
    int64_t dimms = 0;
    for (const vmm::MemoryDevice& device : machine_.devices.devices)
      dimms += device.kind == vmm::DeviceKind::kDimm ? device.size_bytes : 0;
    policy::VmmReading vmm;
    vmm.base_bytes = machine_.devices.boot_bytes + dimms;
    vmm.balloon_actual = {hands_.balloon};
    vmm.plug = vmm::PlugReadingOf(machine_.devices);
    vmm::DeviceReading seen = machine_.devices;
    if (slots_taken_) seen.free_slots = 0;
    mailbox_.OnDevices({seen, clock_.now});
    mailbox_.OnReading({vmm, clock_.now});
    policy::GuestReading reading;
    reading.total_bytes = machine_.OnlineBytes() - hands_.balloon;
    reading.available_bytes = std::max<int64_t>(0, reading.total_bytes - used_);
    reading.free_bytes = reading.available_bytes;
    reading.consumption_bytes_per_second = falls_by_;
    policy::BlockReading blocks;
    for (const auto& [address, block] : machine_.blocks) {
      if (!block.online) blocks.offline_bytes += hotplug::kBlock;
      if (block.online && block.movable) blocks.movable_bytes += hotplug::kBlock;
    }
    reading.blocks = blocks;
    mailbox_.OnReport({reading, clock_.now}, true);
  }

  // Lets time pass in small steps.
  void Run(Nanos span) {
    for (const MonotonicTime end = clock_.now + span; clock_.now < end;) {
      clock_.now = clock_.now + Milliseconds(50);
      Tell();
      loop_->Step();
    }
  }

  // Lets time pass as fast as the loop wishes while nothing new comes; how many rounds that takes.
  int RoundsIn(Nanos span) {
    int rounds = 0;
    for (const MonotonicTime end = clock_.now + span; clock_.now < end; ++rounds) {
      clock_.now = clock_.now + loop_->LongestWait();
      loop_->Step();
    }
    return rounds;
  }

  [[nodiscard]] int64_t Size() const {
    int64_t plugged = 0;
    for (const vmm::MemoryDevice& device : machine_.devices.devices) plugged += device.size_bytes;
    return machine_.devices.boot_bytes + plugged - hands_.balloon;
  }

  LoopSettings settings_;
  ManualClock clock_;
  Wakeup wakeup_;
  GuestMailbox mailbox_{wakeup_, Seconds(3)};
  hotplug::FakeMachine machine_;
  bool slots_taken_ = false;  // by somebody else, after the plan was made
  MachineHands hands_{machine_, mailbox_};
  StatusBoard board_;
  ResizeBox resizes_;
  int64_t host_available_ = 8 * kGiB;
  int64_t used_ = 200 * kMiB;  // by the guest's programs
  int64_t falls_by_ = 0;       // what is available, a second
  std::vector<std::string> lines_;
  std::optional<ControlLoop> loop_;
};

}  // namespace ballast::control
