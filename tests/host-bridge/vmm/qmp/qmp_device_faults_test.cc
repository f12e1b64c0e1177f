// The connection is lost while a device comes or goes: each order still has exactly one receipt, and what the
// next connection shows decides.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "tests/host-bridge/vmm/qmp/actuator_rig.h"

namespace ballast::vmm::qmp {
namespace {

using fakes::Fault;
using fakes::UnplugAnswer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kDimm = 128 * kMiB;

RigOptions Options() {
  RigOptions options;
  options.fake.slots = 4;
  options.fake.most_bytes = 4 * kGiB;
  options.fake.virtio_mem_most = kGiB;
  return options;
}

struct FaultRig : Rig {
  explicit FaultRig(const RigOptions& options = Options()) : Rig(options) {
    EXPECT_TRUE(observer.WaitForLink(LinkState::kReady));
    actuator->Plug(100, kDimm);
    EXPECT_TRUE(observer.WaitForDeviceReceipt(100).status.ok());
  }
  // The monitor hangs up and comes back after `change`.
  template <typename Change>
  void Reconnect(Change change) {
    fake.SetGreetingDelay(Milliseconds(100));
    const size_t links = observer.All().links.size();
    fake.Disconnect();
    ASSERT_TRUE(observer.WaitForLinkChanges(links + 1));
    change();
    ASSERT_TRUE(observer.WaitForLinkChanges(links + 2));
  }
  size_t Receipts(uint64_t id) {
    const auto all = observer.All().device_receipts;
    return std::count_if(all.begin(), all.end(), [id](const auto& receipt) { return receipt.id == id; });
  }
};

struct LostCommand {
  const char* name;
  const char* command;
  Fault fault;
};

std::ostream& operator<<(std::ostream& out, const LostCommand& lost) { return out << lost.name; }

class LostCommands : public ::testing::TestWithParam<LostCommand> {};

TEST_P(LostCommands, EndTheOrderOnceAndTheNextOneWorks) {
  RigOptions options = Options();
  if (GetParam().fault == Fault::kHang) options.actuator.command_timeout = Milliseconds(300);
  FaultRig rig(options);
  rig.fake.SetFault(GetParam().fault, GetParam().command);
  const bool for_unplug = std::string(GetParam().command) == "device_del";
  const bool for_request = std::string(GetParam().command) == "qom-set";
  if (for_unplug) {
    rig.fake.SetUnplugAnswer(UnplugAnswer::kSilent);
    rig.actuator->Unplug(1, "ballast-dimm-0", Seconds(10));
  } else if (for_request) {
    rig.actuator->Request(1, "vm0", 2 * kMiB);
  } else {
    rig.actuator->Plug(1, kDimm);
  }
  rig.actuator->Plug(2, kDimm);
  const absl::Status status = rig.observer.WaitForDeviceReceipt(1).status;
  EXPECT_TRUE(absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status)) << status;
  EXPECT_EQ(rig.observer.WaitForDeviceReceipt(2).status.code(), absl::StatusCode::kUnavailable)
      << "what waited is not sent to another connection";
  ASSERT_TRUE(rig.observer.WaitUntil([](const Recorded& all) {
    return all.links.size() >= 3 && all.links.back().first == LinkState::kReady;
  }));
  rig.actuator->Plug(3, kDimm);
  EXPECT_TRUE(rig.observer.WaitForDeviceReceipt(3).status.ok());
  rig.actuator->SetBalloon(4, {kMiB});
  EXPECT_TRUE(rig.observer.WaitForReceipt(4).status.ok());
  EXPECT_EQ(rig.Receipts(1), 1u);
  EXPECT_EQ(rig.Receipts(2), 1u);
}

INSTANTIATE_TEST_SUITE_P(Monitor, LostCommands,
                         ::testing::Values(LostCommand{"ListClosed", "qom-list", Fault::kClose},
                                           LostCommand{"ListGarbage", "qom-list", Fault::kWrongTypes},
                                           LostCommand{"BootMemoryHung", "qom-get", Fault::kHang},
                                           LostCommand{"BackendClosed", "object-add", Fault::kClose},
                                           LostCommand{"BackendHung", "object-add", Fault::kHang},
                                           LostCommand{"DeviceClosed", "device_add", Fault::kClose},
                                           LostCommand{"DeviceHung", "device_add", Fault::kHang},
                                           LostCommand{"DeviceGarbage", "device_add", Fault::kGarbage},
                                           LostCommand{"RemovalClosed", "device_del", Fault::kClose},
                                           LostCommand{"RemovalHung", "device_del", Fault::kHang},
                                           LostCommand{"RequestClosed", "qom-set", Fault::kClose}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(QmpDeviceFaults, ABackendWhoseDeviceWasLostIsAnOrphan) {
  FaultRig rig;
  rig.fake.SetFault(Fault::kClose, "device_add");
  rig.actuator->Plug(1, kDimm);
  EXPECT_EQ(rig.observer.WaitForDeviceReceipt(1).status.code(), absl::StatusCode::kUnavailable);
  ASSERT_TRUE(rig.observer.WaitForLinkChanges(3));
  EXPECT_THAT(rig.observer.All().devices.back().orphans, ElementsAre("ballast-mem-1"));
  rig.actuator->RemoveOrphans(2);
  EXPECT_TRUE(rig.observer.WaitForDeviceReceipt(2).status.ok());
  EXPECT_THAT(rig.fake.DeviceNames(), ElementsAre("ballast-dimm-0", "vmem0", "ram0", "ballast-mem-0"));
}

TEST(QmpDeviceFaults, ADimmThatWentWhileNobodyListened) {
  FaultRig rig;
  rig.fake.SetUnplugAnswer(UnplugAnswer::kSilent);
  rig.actuator->Unplug(1, "ballast-dimm-0", Seconds(10));
  ASSERT_TRUE(rig.fake.WaitForCommand("device_del").has_value());
  rig.Reconnect([&] { rig.fake.LetGo("ballast-dimm-0"); });
  EXPECT_TRUE(rig.observer.WaitForDeviceReceipt(1).status.ok());
  EXPECT_THAT(rig.fake.DeviceNames(), ElementsAre("vmem0", "ram0")) << "its backend is gone as well";
  EXPECT_EQ(rig.Receipts(1), 1u);
}

TEST(QmpDeviceFaults, ADimmThatIsStillThere) {
  FaultRig rig;
  rig.fake.SetUnplugAnswer(UnplugAnswer::kSilent);
  rig.actuator->Unplug(1, "ballast-dimm-0", Seconds(10));
  ASSERT_TRUE(rig.fake.WaitForCommand("device_del").has_value());
  rig.actuator->Plug(2, kDimm);
  rig.Reconnect([&] {
    EXPECT_EQ(rig.observer.WaitForDeviceReceipt(2).status.code(), absl::StatusCode::kUnavailable)
        << "what waits behind it is refused at once";
    EXPECT_EQ(rig.Receipts(1), 0u);
  });
  const absl::Status status = rig.observer.WaitForDeviceReceipt(1).status;
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(MessageOf(status),
              HasSubstr("'ballast-dimm-0' is still there; the guest last said: device busy"));
  EXPECT_EQ(rig.Receipts(1), 1u);
}

TEST(QmpDeviceFaults, AConnectionLostWhileTheBackendIsRemoved) {
  FaultRig rig;
  rig.fake.SetFault(Fault::kClose, "object-del");
  rig.actuator->Unplug(1, "ballast-dimm-0", Seconds(10));
  EXPECT_TRUE(rig.observer.WaitForDeviceReceipt(1).status.ok());
  EXPECT_THAT(rig.fake.DeviceNames(), ElementsAre("vmem0", "ram0"));
  EXPECT_EQ(rig.Receipts(1), 1u);
}

TEST(QmpDeviceFaults, AMonitorThatDoesNotComeBackBeforeTheDeadline) {
  FaultRig rig;
  rig.fake.SetUnplugAnswer(UnplugAnswer::kSilent);
  rig.actuator->Unplug(1, "ballast-dimm-0", Milliseconds(300));
  ASSERT_TRUE(rig.fake.WaitForCommand("device_del").has_value());
  rig.fake.SetGreetingDelay(Seconds(30));
  rig.fake.Disconnect();
  const absl::Status status = rig.observer.WaitForDeviceReceipt(1).status;
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(MessageOf(status), HasSubstr("'ballast-dimm-0' may have gone"));
}

TEST(QmpDeviceFaults, NoCallFollowsItsDestruction) {
  for (int round = 0; round < 10; ++round) {
    FaultRig rig;
    rig.fake.SetUnplugAnswer(round % 2 == 0 ? UnplugAnswer::kSilent : UnplugAnswer::kLetsGo);
    rig.actuator->Unplug(1, "ballast-dimm-0", Milliseconds(5));
    rig.actuator->Plug(2, kDimm);
    if (round % 3 == 0) {
      ASSERT_TRUE(rig.fake.WaitForCommand("device_del").has_value());
    }
    rig.actuator.reset();
    const size_t receipts = rig.observer.All().device_receipts.size();
    rig.thread.Stop();
    EXPECT_EQ(rig.observer.All().device_receipts.size(), receipts);
  }
}

// Numbers from before and after a DIMM's departure must not be put together.
TEST(QmpDeviceFaults, AReadingThatADepartureOvertakesIsRepeated) {
  FaultRig rig;
  rig.actuator->SetBalloon(1, {256 * kMiB});
  ASSERT_TRUE(rig.observer.WaitForReceipt(1).status.ok());
  std::this_thread::sleep_for(std::chrono::milliseconds(1200));  // the looks after a command are over
  rig.fake.SetFault(Fault::kHang, "query-balloon");
  const size_t before = rig.fake.Log().size();
  rig.fake.SetVirtioMem(0);  // brings about a reading
  const auto is_last = [](const auto& received) { return received.command == "query-status"; };
  while (rig.fake.Log().size() < before + 4 || !is_last(rig.fake.Log().back())) std::this_thread::yield();
  const auto log = rig.fake.Log();
  ASSERT_EQ(log[log.size() - 2].command, "query-balloon");
  const size_t readings = rig.observer.All().readings.size();
  rig.fake.LetGo("ballast-dimm-0");
  // The answer that hung comes now, with the number of the VM without the DIMM. Commands are counted from 1.
  rig.fake.SendRaw(StrCat("{\"return\": {\"actual\": ", 768 * kMiB, "}, \"id\": ", log.size() - 1, "}\r\n"));
  ASSERT_TRUE(
      rig.observer.WaitUntil([](const Recorded& all) { return all.devices.back().devices.size() == 1; }));
  const Recorded all = rig.observer.All();
  ASSERT_GT(all.readings.size(), readings);
  for (size_t i = readings; i < all.readings.size(); ++i) {
    EXPECT_EQ(all.readings[i].value.balloon_actual, BalloonBytes{256 * kMiB});
  }
  EXPECT_EQ(all.readings.back().value.base_bytes, kGiB);
}

}  // namespace
}  // namespace ballast::vmm::qmp
