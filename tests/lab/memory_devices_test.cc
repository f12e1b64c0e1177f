// DIMMs and virtio-mem of a real QEMU and a real guest, steered by QmpVm directly.
#include <gmock/gmock.h>

#include <algorithm>

#include "absl/time/clock.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "host-bridge/vmm/qmp/qmp_vm.h"
#include "tests/host-bridge/vmm/qmp/actuator_rig.h"
#include "tests/lab/lab_fixture.h"

namespace ballast::lab {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using vmm::DeviceReading;
using vmm::DeviceReceipt;
using vmm::Recorded;

constexpr int64_t kDimm = 128 * kMiB;
// Brings every block that is offline into use, movable or not.
constexpr char kOnline[] =
    "for block in $(grep -l offline /sys/devices/system/memory/memory*/state); do echo $0 > $block; done";

class MemoryDevicesTest : public LabTest {
 protected:
  void Begin(const GuestOptions& options) {
    guest_ = Boot(options);
    ASSERT_NE(guest_, nullptr);
    vmm::qmp::QmpOptions qmp;
    qmp.name = options.name;
    qmp.socket_path = guest_->bridge_qmp_path();
    qmp.command_timeout = Seconds(10);
    vm_ = std::make_unique<vmm::qmp::QmpVm>(thread_.io, clock_, observer_, &observer_, qmp);
    vm_->Start();
    ASSERT_TRUE(observer_.WaitForLink(vmm::LinkState::kReady));
  }
  DeviceReceipt Plug(int64_t bytes) {
    vm_->Plug(++id_, bytes);
    return observer_.WaitForDeviceReceipt(id_);
  }
  DeviceReceipt Unplug(const std::string& device, Nanos deadline = Seconds(10)) {
    vm_->Unplug(++id_, device, deadline);
    return observer_.WaitForDeviceReceipt(id_);
  }
  DeviceReceipt Request(int64_t bytes) {
    vm_->Request(++id_, "vm0", bytes);
    return observer_.WaitForDeviceReceipt(id_);
  }
  [[nodiscard]] bool WaitForPlugged(int64_t bytes) {
    return observer_.WaitUntil([bytes](const Recorded& all) {
      return all.readings.back().value.plug && all.readings.back().value.plug->plugged_bytes == bytes;
    });
  }
  // What the guest says to a command, or why it cannot be asked: its vsock device reads its memory by itself,
  // plugged or not.
  std::string Ask(const std::string& command) {
    const auto answer = guest_->Exec(command);
    return answer.ok() ? answer->output : StrCat("no answer: ", MessageOf(answer.status()));
  }
  // QEMU's success means that the guest was told: it takes a DIMM in, or not, when it gets to it.
  [[nodiscard]] bool WaitForBlocks(int count) {
    const absl::Time deadline = absl::Now() + absl::Seconds(10);
    const std::string wanted = StrCat(count, "\n");
    while (absl::Now() < deadline) {
      if (Ask("ls -d /sys/devices/system/memory/memory[0-9]* | wc -l") == wanted) return true;
      absl::SleepFor(absl::Milliseconds(20));
    }
    return false;
  }
  int64_t MemTotalMib() {
    return std::atoll(Ask("awk '/MemTotal/ {print int($2 / 1024)}' /proc/meminfo").c_str());
  }
  policy::VmmReading Last() { return observer_.All().readings.back().value; }
  DeviceReading Devices() { return observer_.All().devices.back(); }

  Guest* guest_ = nullptr;
  SystemClock clock_;
  vmm::RecordingObserver observer_;
  vmm::qmp::IoThread thread_;
  std::unique_ptr<vmm::qmp::QmpVm> vm_;  // goes first
  uint64_t id_ = 0;
};

GuestOptions WithSlots() {
  GuestOptions options;
  options.memory_mib = 512;
  options.hotplug_mib = 1024;
  options.agent = false;
  return options;
}

TEST_F(MemoryDevicesTest, DimmsComeAndGoAndTheBalloonStaysWhatItWas) {
  ASSERT_NO_FATAL_FAILURE(Begin(WithSlots()));
  EXPECT_EQ(Devices().free_slots, 16);
  EXPECT_EQ(Devices().free_bytes, kGiB);
  EXPECT_TRUE(WaitForBlocks(4));
  const int64_t total_mib = MemTotalMib();
  vm_->SetBalloon(1000, {64 * kMiB});
  ASSERT_TRUE(observer_.WaitForReceipt(1000).status.ok());
  ASSERT_TRUE(observer_.WaitUntil([](const Recorded& all) {
    return all.readings.back().value.balloon_actual == BalloonBytes{64 * kMiB};
  }));

  const DeviceReceipt came = Plug(2 * kDimm);
  ASSERT_TRUE(came.status.ok()) << came.status;
  EXPECT_EQ(came.device, "ballast-dimm-0");
  EXPECT_EQ(Last().base_bytes, 768 * kMiB);
  EXPECT_EQ(Last().balloon_actual, BalloonBytes{64 * kMiB}) << "neither lost nor given by the way";
  EXPECT_TRUE(WaitForBlocks(6)) << "the guest is still to be reached, and sees them";
  Ask(StrCat("sh -c '", kOnline, "' online_movable"));
  EXPECT_NEAR(static_cast<double>(MemTotalMib()), static_cast<double>(total_mib - 64 + 256), 8);
  // Memory is used there, and its link goes on working from it.
  EXPECT_EQ(guest_->Exec("lab-guest hog --mib 450 --hold-ms 10")->status, 0);

  vm_->SetBalloon(1001, {32 * kMiB});
  ASSERT_TRUE(observer_.WaitForReceipt(1001).status.ok());
  ASSERT_TRUE(observer_.WaitUntil([](const Recorded& all) {
    return all.readings.back().value.balloon_actual == BalloonBytes{32 * kMiB};
  }));
  const DeviceReceipt gone = Unplug("ballast-dimm-0");
  ASSERT_TRUE(gone.status.ok()) << gone.status;
  EXPECT_EQ(Last().base_bytes, 512 * kMiB);
  EXPECT_EQ(Last().balloon_actual, BalloonBytes{32 * kMiB});
  EXPECT_TRUE(WaitForBlocks(4));
}

TEST_F(MemoryDevicesTest, TwentyCyclesAndAFullMachineLeaveNothingBehind) {
  ASSERT_NO_FATAL_FAILURE(Begin(WithSlots()));
  for (int cycle = 0; cycle < 20; ++cycle) {
    const DeviceReceipt came = Plug(kDimm);
    ASSERT_TRUE(came.status.ok()) << cycle << ": " << came.status;
    ASSERT_EQ(came.device, "ballast-dimm-0");
    if (cycle % 7 == 0) {
      ASSERT_TRUE(WaitForBlocks(5));
      Ask(StrCat("sh -c '", kOnline, "' online_movable"));
    }
    const DeviceReceipt gone = Unplug(came.device);
    ASSERT_TRUE(gone.status.ok()) << cycle << ": " << gone.status;
  }
  EXPECT_EQ(Devices().free_slots, 16);
  EXPECT_EQ(Devices().free_bytes, kGiB);
  EXPECT_THAT(Devices().orphans, IsEmpty());
  const auto objects = guest_->Qmp("qom-list", {{"path", "/objects"}});
  ASSERT_TRUE(objects.ok()) << objects.status();
  EXPECT_EQ(boost::json::serialize(*objects).find("ballast-mem"), std::string::npos);
  EXPECT_TRUE(WaitForBlocks(4));

  // As many as there is room for. How many that are depends on more than slots and maxmem: a device in
  // another process, like this guest's vsock, takes only so many pieces of memory.
  std::vector<std::string> plugged;
  DeviceReceipt receipt = Plug(kDimm);
  for (; receipt.status.ok() && plugged.size() < 16; receipt = Plug(kDimm)) plugged.push_back(receipt.device);
  EXPECT_EQ(receipt.status.code(), absl::StatusCode::kResourceExhausted) << receipt.status;
  EXPECT_GE(plugged.size(), 3u);
  EXPECT_EQ(Devices().devices.size(), plugged.size());
  EXPECT_THAT(Devices().orphans, IsEmpty()) << receipt.status;
  for (const std::string& device : plugged) EXPECT_EQ(Unplug(device).status, absl::OkStatus());
  EXPECT_EQ(Devices().free_slots, 16);
  EXPECT_THAT(Devices().orphans, IsEmpty());
}

TEST_F(MemoryDevicesTest, AGuestThatHasKernelMemoryThereRefuses) {
  ASSERT_NO_FATAL_FAILURE(Begin(WithSlots()));
  ASSERT_TRUE(Plug(kDimm).status.ok());
  ASSERT_TRUE(WaitForBlocks(5));
  Ask(StrCat("sh -c '", kOnline, "' online_kernel"));
  // Directories are kernel memory that cannot be moved, and new kernel memory comes from the highest zone.
  Ask("mkdir /tmp/many && cd /tmp/many && seq 1 3000 | xargs mkdir");
  const DeviceReceipt refused = Unplug("ballast-dimm-0");
  EXPECT_EQ(refused.status.code(), absl::StatusCode::kFailedPrecondition) << refused.status;
  EXPECT_THAT(MessageOf(refused.status), HasSubstr("device busy (130)"));
  ASSERT_EQ(Devices().devices.size(), 1u);
  EXPECT_EQ(Ask("cat /sys/devices/system/memory/memory32/state"), "online\n") << "all of it stays in use";
  EXPECT_EQ(Last().plug->plugged_bytes, kDimm);
}

TEST_F(MemoryDevicesTest, AGuestThatDoesNotAnswerInTime) {
  ASSERT_NO_FATAL_FAILURE(Begin(WithSlots()));
  ASSERT_TRUE(Plug(kDimm).status.ok());
  EXPECT_TRUE(WaitForBlocks(5)) << "it has taken it in";
  ASSERT_TRUE(guest_->Stop().ok());
  const DeviceReceipt late = Unplug("ballast-dimm-0", Milliseconds(300));
  EXPECT_EQ(late.status.code(), absl::StatusCode::kDeadlineExceeded) << late.status;
  EXPECT_EQ(Devices().devices.size(), 1u);
  // It answers when it runs again; what it leaves is found and removed.
  ASSERT_TRUE(guest_->Cont().ok());
  ASSERT_TRUE(observer_.WaitUntil([](const Recorded& all) { return !all.devices.back().orphans.empty(); }));
  EXPECT_THAT(Devices().orphans, ElementsAre("ballast-mem-0"));
  vm_->RemoveOrphans(++id_);
  EXPECT_TRUE(observer_.WaitForDeviceReceipt(id_).status.ok());
  EXPECT_THAT(Devices().orphans, IsEmpty());
  EXPECT_TRUE(Devices().devices.empty());
}

TEST_F(MemoryDevicesTest, VirtioMemGrowsShrinksAndComesBackAfterAReset) {
  GuestOptions options;
  options.memory_mib = 512;
  options.virtio_mem_mib = 1024;
  options.agent = false;
  ASSERT_NO_FATAL_FAILURE(Begin(options));
  EXPECT_FALSE(Devices().can_plug_dimms) << "room, but no slots";
  EXPECT_EQ(Last().plug, (policy::PlugReading{0, 0, kGiB, 2 * kMiB, 0}));
  Ask("echo online_movable > /sys/devices/system/memory/auto_online_blocks");
  for (const int64_t bytes : {256 * kMiB, 130 * kMiB, 514 * kMiB, int64_t{0}, 200 * kMiB}) {
    const DeviceReceipt receipt = Request(bytes);
    ASSERT_TRUE(receipt.status.ok()) << receipt.status;
    EXPECT_EQ(Last().plug->requested_bytes, bytes) << "known with the receipt";
    ASSERT_TRUE(WaitForPlugged(bytes)) << Last().plug->plugged_bytes;
    EXPECT_EQ(Last().plug->outside_base_bytes, bytes);
    EXPECT_EQ(Last().base_bytes, 512 * kMiB) << "the balloon's base leaves it out";
  }
  EXPECT_TRUE(WaitForBlocks(6));
  const size_t before = observer_.All().readings.size();
  ASSERT_TRUE(guest_->Reset().ok());
  const auto dropped = [before](const Recorded& all) {
    return std::any_of(all.readings.begin() + static_cast<std::ptrdiff_t>(before), all.readings.end(),
                       [](const auto& reading) { return reading.value.plug->plugged_bytes == 0; });
  };
  ASSERT_TRUE(observer_.WaitUntil(dropped));
  ASSERT_TRUE(guest_->WaitForExec(absl::Seconds(45)).ok());
  EXPECT_TRUE(WaitForPlugged(200 * kMiB)) << "the new boot's driver takes what is asked for";
}

}  // namespace
}  // namespace ballast::lab
