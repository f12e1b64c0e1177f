// Orders for memory devices, and a monitor and a guest that do as they are told, or do not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/host-bridge/vmm/qmp/actuator_rig.h"

namespace ballast::vmm::qmp {
namespace {

using fakes::Fault;
using fakes::UnplugAnswer;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kDimm = 128 * kMiB;
constexpr absl::StatusCode kOk = absl::StatusCode::kOk;

// A VM of 1 GiB with room for 4 DIMMs and 3 GiB.
RigOptions WithSlots() {
  RigOptions options;
  options.fake.slots = 4;
  options.fake.most_bytes = 4 * kGiB;
  return options;
}

struct DeviceRig : Rig {
  explicit DeviceRig(const RigOptions& options = WithSlots()) : Rig(options) {
    EXPECT_TRUE(observer.WaitForLink(LinkState::kReady));
  }
  DeviceReceipt Plug(uint64_t id, int64_t bytes = kDimm) {
    actuator->Plug(id, bytes);
    return observer.WaitForDeviceReceipt(id);
  }
  DeviceReceipt Unplug(uint64_t id, const std::string& device, Nanos deadline = Seconds(10)) {
    actuator->Unplug(id, device, deadline);
    return observer.WaitForDeviceReceipt(id);
  }
  DeviceReading Devices() { return observer.All().devices.back(); }
  size_t Receipts(uint64_t id) {
    const auto all = observer.All().device_receipts;
    return std::count_if(all.begin(), all.end(), [id](const auto& receipt) { return receipt.id == id; });
  }
};

TEST(QmpDevices, AreToldBeforeTheLinkIsReady) {
  RigOptions options = WithSlots();
  options.fake.virtio_mem_most = kGiB;
  DeviceRig rig(options);
  const Recorded all = rig.observer.All();
  ASSERT_EQ(all.devices.size(), 1u);
  EXPECT_EQ(all.devices[0].boot_bytes, kGiB);
  EXPECT_TRUE(all.devices[0].can_plug_dimms);
  EXPECT_EQ(all.devices[0].free_slots, 4);
  EXPECT_EQ(all.devices[0].free_bytes, 2 * kGiB) << "virtio-mem has taken its address space";
  ASSERT_EQ(all.devices[0].devices.size(), 1u);
  EXPECT_EQ(all.readings[0].value.plug, (policy::PlugReading{0, 0, kGiB, 2 * kMiB, 0}));
}

TEST(QmpDevices, AVmWithoutSlotsTakesNoDimm) {
  DeviceRig rig{RigOptions()};
  EXPECT_EQ(rig.observer.All().readings[0].value.plug, std::nullopt);
  const DeviceReceipt receipt = rig.Plug(1);
  EXPECT_EQ(receipt.status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(MessageOf(receipt.status), HasSubstr("-m SIZE,slots=NUMBER,maxmem=SIZE"));
}

TEST(QmpDevices, AnOldQemuThatDoesNotSayItsSlotsTakesNoDimm) {
  RigOptions options = WithSlots();
  options.fake.knows_memory = false;
  DeviceRig rig(options);
  EXPECT_FALSE(rig.Devices().can_plug_dimms);
  EXPECT_EQ(rig.Plug(1).status.code(), absl::StatusCode::kResourceExhausted);
}

TEST(QmpDevices, ADimmComesWithItsBackendAndLeavesTheBalloonAlone) {
  DeviceRig rig;
  rig.actuator->SetBalloon(1, {256 * kMiB});
  ASSERT_TRUE(rig.observer.WaitForReceipt(1).status.ok());
  const DeviceReceipt receipt = rig.Plug(2);
  EXPECT_EQ(receipt, (DeviceReceipt{2, absl::OkStatus(), "ballast-dimm-0"}));
  EXPECT_THAT(rig.fake.DeviceNames(), ElementsAre("ballast-dimm-0", "ram0", "ballast-mem-0"));
  EXPECT_THAT(rig.fake.WaitForCommand("object-add")->arguments, HasSubstr("\"memory-backend-ram\""));
  const Recorded all = rig.observer.All();
  EXPECT_EQ(all.readings.back().value.base_bytes, kGiB + kDimm);
  EXPECT_EQ(all.readings.back().value.plug, (policy::PlugReading{kDimm, kDimm, 3 * kGiB, kDimm, 0}));
  for (const auto& reading : all.readings) EXPECT_LE(reading.value.balloon_actual, BalloonBytes{256 * kMiB});
  EXPECT_EQ(all.readings.back().value.balloon_actual, BalloonBytes{256 * kMiB});
  EXPECT_EQ(rig.fake.Target(), BalloonBytes{256 * kMiB}) << "QEMU keeps what is taken";
  EXPECT_EQ(rig.fake.WaitForCommand("balloon", 2, Nanos{0}), std::nullopt);
  EXPECT_EQ(rig.Devices().free_slots, 3);
}

TEST(QmpDevices, TheNextTargetCountsFromTheNewBase) {
  DeviceRig rig;
  ASSERT_TRUE(rig.Plug(1).status.ok());
  rig.actuator->SetBalloon(2, {64 * kMiB});
  ASSERT_TRUE(rig.observer.WaitForReceipt(2).status.ok());
  EXPECT_EQ(rig.fake.WaitForCommand("balloon", 1)->value, kGiB + kDimm - 64 * kMiB);
  EXPECT_EQ(rig.fake.WaitForCommand("balloon", 2, Nanos{0}), std::nullopt) << "right at once";
}

// The number that QEMU keeps back for a second was made before the DIMM came.
TEST(QmpDevices, ABalloonEventOfTheOldBaseIsNotBelieved) {
  DeviceRig rig;
  rig.actuator->SetBalloon(1, {256 * kMiB});
  ASSERT_TRUE(rig.observer.WaitForReceipt(1).status.ok());
  ASSERT_TRUE(rig.Plug(2).status.ok());
  rig.fake.SendRaw(
      "{\"event\": \"BALLOON_CHANGE\", \"data\": {\"actual\": 805306368}}\r\n"
      "{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true, \"reason\": \"guest-shutdown\"}}\r\n");
  ASSERT_TRUE(rig.observer.WaitUntil([](const Recorded& all) { return !all.lifecycle.empty(); }));
  for (const auto& reading : rig.observer.All().readings) {
    EXPECT_LE(reading.value.balloon_actual, BalloonBytes{256 * kMiB});
  }
}

TEST(QmpDevices, TheBackendIsLikeTheBootMemory) {
  for (const bool numa : {false, true}) {
    RigOptions options = WithSlots();
    options.fake.shared_memory = true;
    options.fake.numa = numa;
    DeviceRig rig(options);
    ASSERT_TRUE(rig.Plug(1).status.ok());
    const std::string arguments = rig.fake.WaitForCommand("object-add")->arguments;
    EXPECT_THAT(arguments, HasSubstr("\"memory-backend-memfd\""));
    EXPECT_THAT(arguments, HasSubstr("\"share\":true"));
    EXPECT_THAT(arguments, Not(HasSubstr("hugetlb")));
  }
}

TEST(QmpDevices, HugePagesStayHuge) {
  RigOptions options = WithSlots();
  options.fake.shared_memory = true;
  options.fake.huge_page_bytes = 2 * kMiB;
  DeviceRig rig(options);
  ASSERT_TRUE(rig.Plug(1).status.ok());
  EXPECT_THAT(rig.fake.WaitForCommand("object-add")->arguments,
              HasSubstr("\"share\":true,\"hugetlb\":true,\"hugetlbsize\":2097152"));
}

TEST(QmpDevices, ADimmIsMadeOfWholePages) {
  RigOptions options = WithSlots();
  options.fake.shared_memory = true;
  options.fake.huge_page_bytes = kGiB;
  DeviceRig rig(options);
  const DeviceReceipt receipt = rig.Plug(1);
  EXPECT_EQ(receipt.status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(MessageOf(receipt.status), HasSubstr("pages of 1073741824 bytes"));
  EXPECT_TRUE(rig.Plug(2, kGiB).status.ok());
}

TEST(QmpDevices, ADimmIsMadeOfTheGuestsBlocks) {
  DeviceRig rig;
  EXPECT_EQ(rig.Devices().dimm_unit_bytes, kDimm);
  rig.actuator->SetGuestBlock(kGiB);
  ASSERT_TRUE(
      rig.observer.WaitUntil([](const Recorded& all) { return all.devices.back().dimm_unit_bytes == kGiB; }));
  EXPECT_EQ(rig.observer.All().readings.back().value.plug, (policy::PlugReading{0, 0, 3 * kGiB, kGiB, 0}));
  const DeviceReceipt refused = rig.Plug(1);
  EXPECT_EQ(refused.status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(MessageOf(refused.status), HasSubstr("expected a multiple of 1073741824 above 0"));
  EXPECT_THAT(rig.fake.DeviceNames(), ElementsAre("ram0"));
  EXPECT_TRUE(rig.Plug(2, kGiB).status.ok());
  // It is the guest's, not the connection's.
  rig.fake.Disconnect();
  ASSERT_TRUE(rig.observer.WaitForLinkChanges(3));
  EXPECT_EQ(rig.Devices().dimm_unit_bytes, kGiB);
  rig.actuator->SetGuestBlock(kMiB);
  ASSERT_TRUE(rig.observer.WaitUntil(
      [](const Recorded& all) { return all.devices.back().dimm_unit_bytes == kDimm; }));
}

TEST(QmpDevices, TheSmallestNumberThatNothingHas) {
  const RigOptions options = WithSlots();
  fakes::FakeQmp fake(options.fake);
  fake.AddBackend("ballast-mem-0", "memory-backend-ram");
  fake.AddDimm("ballast-dimm-1", "somebody's", kDimm);
  SystemClock clock;
  RecordingObserver observer;
  IoThread thread;
  QmpVm vm(thread.io, clock, observer, &observer, options.actuator);
  vm.Start();
  ASSERT_TRUE(observer.WaitForLink(LinkState::kReady));
  vm.Plug(1, kDimm);
  EXPECT_EQ(observer.WaitForDeviceReceipt(1).device, "ballast-dimm-2");
  EXPECT_THAT(observer.All().devices.back().orphans, ElementsAre("ballast-mem-0"));
  vm.RemoveOrphans(2);
  EXPECT_TRUE(observer.WaitForDeviceReceipt(2).status.ok());
  EXPECT_THAT(observer.All().devices.back().orphans, ElementsAre());
  EXPECT_THAT(fake.DeviceNames(), Not(Contains("ballast-mem-0")));
}

TEST(QmpDevices, SizesThatNoDimmCanHave) {
  DeviceRig rig;
  for (const int64_t bytes : {int64_t{0}, -kDimm, kDimm - 1, 100 * kMiB}) {
    const DeviceReceipt receipt = rig.Plug(static_cast<uint64_t>(bytes), bytes);
    EXPECT_EQ(receipt.status.code(), absl::StatusCode::kInvalidArgument) << bytes;
    EXPECT_THAT(MessageOf(receipt.status), HasSubstr("expected a multiple of 134217728 above 0"));
  }
  const DeviceReceipt large = rig.Plug(1, 4 * kGiB);
  EXPECT_EQ(large.status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(MessageOf(large.status), HasSubstr("3221225472 bytes are left below -m maxmem="));
  EXPECT_EQ(rig.fake.WaitForCommand("object-add", 1, Nanos{0}), std::nullopt);
}

TEST(QmpDevices, WhenAllSlotsAreTaken) {
  DeviceRig rig;
  for (uint64_t id = 1; id <= 4; ++id) ASSERT_TRUE(rig.Plug(id).status.ok());
  const DeviceReceipt receipt = rig.Plug(5);
  EXPECT_EQ(receipt.status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(MessageOf(receipt.status), HasSubstr("no slot for a DIMM is free"));
}

TEST(QmpDevices, AHostWithoutMemory) {
  DeviceRig rig;
  rig.fake.SetFault(Fault::kErrorReply, "object-add");
  const DeviceReceipt receipt = rig.Plug(1);
  EXPECT_EQ(receipt.status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(MessageOf(receipt.status), HasSubstr("something is wrong"));
  EXPECT_EQ(rig.fake.WaitForCommand("device_add", 1, Nanos{0}), std::nullopt);
  EXPECT_TRUE(rig.Plug(2).status.ok());
}

TEST(QmpDevices, ADeviceThatIsRefusedTakesItsBackendAlong) {
  DeviceRig rig;
  rig.fake.SetFault(Fault::kErrorReply, "device_add");
  const DeviceReceipt receipt = rig.Plug(1);
  EXPECT_EQ(receipt.status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(rig.fake.DeviceNames(), ElementsAre("ram0"));
  rig.actuator->SetBalloon(2, {kMiB});
  EXPECT_TRUE(rig.observer.WaitForReceipt(2).status.ok()) << "the balloon is free again";
}

TEST(QmpDevices, ATargetWaitsWhileADimmIsBeingAdded) {
  DeviceRig rig;
  rig.fake.SetFault(Fault::kHang, "device_add");
  rig.actuator->Plug(1, kDimm);
  ASSERT_TRUE(rig.fake.WaitForCommand("device_add").has_value());
  rig.actuator->SetBalloon(2, {64 * kMiB});
  EXPECT_EQ(rig.fake.WaitForCommand("balloon", 1, Milliseconds(50)), std::nullopt);
  // The answer that hung comes now; commands are counted from 1 and "device_add" is the 17th.
  rig.fake.SendRaw("{\"return\": {}, \"id\": 17}\r\n");
  EXPECT_EQ(rig.fake.WaitForCommand("balloon")->value, kGiB + kDimm - 64 * kMiB);
  EXPECT_TRUE(rig.observer.WaitForReceipt(2).status.ok());
}

TEST(QmpDevices, ADimmWaitsWhileATargetIsOnItsWay) {
  DeviceRig rig;
  rig.fake.SetFault(Fault::kHang, "balloon");
  rig.actuator->SetBalloon(1, {64 * kMiB});
  ASSERT_TRUE(rig.fake.WaitForCommand("balloon").has_value());
  rig.actuator->Plug(2, kDimm);
  ASSERT_TRUE(rig.fake.WaitForCommand("object-add").has_value());
  rig.actuator->SetBalloon(3, {32 * kMiB});
  EXPECT_EQ(rig.fake.WaitForCommand("device_add", 1, Milliseconds(50)), std::nullopt);
  // The answer that hung comes now; commands are counted from 1 and "balloon" is the 9th.
  rig.fake.SendRaw("{\"return\": {}, \"id\": 9}\r\n");
  EXPECT_TRUE(rig.observer.WaitForDeviceReceipt(2).status.ok());
  EXPECT_TRUE(rig.observer.WaitForReceipt(1).status.ok());
  EXPECT_TRUE(rig.observer.WaitForReceipt(3).status.ok()) << "what waited goes on afterwards";
  EXPECT_EQ(rig.fake.WaitForCommand("balloon", 2)->value, kGiB + kDimm - 32 * kMiB);
}

TEST(QmpDevices, ADimmGoesWithItsBackend) {
  for (const UnplugAnswer answer : {UnplugAnswer::kLetsGo, UnplugAnswer::kLetsGoAtOnce}) {
    DeviceRig rig;
    rig.actuator->SetBalloon(1, {256 * kMiB});
    ASSERT_TRUE(rig.observer.WaitForReceipt(1).status.ok());
    ASSERT_TRUE(rig.Plug(2).status.ok());
    rig.fake.SetUnplugAnswer(answer);
    EXPECT_EQ(rig.Unplug(3, "ballast-dimm-0"), (DeviceReceipt{3, absl::OkStatus(), "ballast-dimm-0"}));
    EXPECT_THAT(rig.fake.DeviceNames(), ElementsAre("ram0"));
    EXPECT_TRUE(rig.Devices().devices.empty());
    EXPECT_TRUE(rig.Devices().orphans.empty());
    EXPECT_EQ(rig.observer.All().readings.back().value.base_bytes, kGiB);
    for (const auto& reading : rig.observer.All().readings) {
      EXPECT_LE(reading.value.balloon_actual, BalloonBytes{256 * kMiB});
    }
    EXPECT_EQ(rig.observer.All().readings.back().value.balloon_actual, BalloonBytes{256 * kMiB});
    EXPECT_EQ(rig.Receipts(3), 1u);
  }
}

TEST(QmpDevices, AGuestThatRefuses) {
  DeviceRig rig;
  ASSERT_TRUE(rig.Plug(1).status.ok());
  rig.fake.SetUnplugAnswer(UnplugAnswer::kRefuses);
  const DeviceReceipt busy = rig.Unplug(2, "ballast-dimm-0");
  EXPECT_EQ(busy.status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(MessageOf(busy.status), HasSubstr("does not let 'ballast-dimm-0' go: device busy (130)"));
  rig.fake.SetUnplugAnswer(UnplugAnswer::kErrors);
  const DeviceReceipt error = rig.Unplug(3, "ballast-dimm-0");
  EXPECT_EQ(error.status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(MessageOf(error.status), HasSubstr("it is pinned"));
  EXPECT_EQ(rig.Receipts(3), 1u) << "QEMU says it by two events";
  EXPECT_EQ(rig.Devices().devices.size(), 1u);
  rig.fake.SetUnplugAnswer(UnplugAnswer::kLetsGo);
  EXPECT_TRUE(rig.Unplug(4, "ballast-dimm-0").status.ok()) << "it may be asked again";
}

TEST(QmpDevices, AGuestThatAnswersTooLateLeavesAnOrphan) {
  DeviceRig rig;
  ASSERT_TRUE(rig.Plug(1).status.ok());
  rig.fake.SetUnplugAnswer(UnplugAnswer::kSilent);
  const DeviceReceipt receipt = rig.Unplug(2, "ballast-dimm-0", Milliseconds(50));
  EXPECT_EQ(receipt.status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(MessageOf(receipt.status),
              HasSubstr("the guest did not answer for 'ballast-dimm-0' after 50 ms"));
  rig.fake.LetGo("ballast-dimm-0");
  ASSERT_TRUE(rig.observer.WaitUntil([](const Recorded& all) {
    return all.devices.back().orphans == std::vector<std::string>{"ballast-mem-0"};
  }));
  rig.actuator->RemoveOrphans(3);
  EXPECT_TRUE(rig.observer.WaitForDeviceReceipt(3).status.ok());
  EXPECT_THAT(rig.fake.DeviceNames(), ElementsAre("ram0"));
  EXPECT_EQ(rig.Receipts(2), 1u);
}

TEST(QmpDevices, ABackendThatStaysIsAnOrphan) {
  DeviceRig rig;
  ASSERT_TRUE(rig.Plug(1).status.ok());
  rig.fake.SetFault(Fault::kErrorReply, "object-del");
  EXPECT_TRUE(rig.Unplug(2, "ballast-dimm-0").status.ok()) << "the DIMM has gone";
  EXPECT_THAT(rig.Devices().orphans, ElementsAre("ballast-mem-0"));
  rig.fake.SetFault(Fault::kErrorReply, "object-del");
  rig.actuator->RemoveOrphans(3);
  const absl::Status refused = rig.observer.WaitForDeviceReceipt(3).status;
  EXPECT_THAT(MessageOf(refused), HasSubstr("ballast-mem-0: QEMU answered GenericError"));
  EXPECT_THAT(rig.Devices().orphans, ElementsAre("ballast-mem-0"));
}

// A guest can say that as often as it likes.
TEST(QmpDevices, AnAnswerAboutAKnownDeviceIsNoNews) {
  DeviceRig rig;
  ASSERT_TRUE(rig.Plug(1).status.ok());
  size_t readings = 0;
  while (rig.fake.WaitForCommand("query-status", readings + 1, Milliseconds(50))) ++readings;
  rig.fake.SendRaw(
      R"({"event": "ACPI_DEVICE_OST", "data": {"info": {"device": "ballast-dimm-0", "source": 3, "status": 130, "slot": "0", "slot-type": "DIMM"}}})"
      "\r\n");
  EXPECT_EQ(rig.fake.WaitForCommand("query-status", readings + 1, Milliseconds(50)), std::nullopt);
}

TEST(QmpDevices, AfterADimmOfAnOddSizeTheNextBeginsWhereABlockDoes) {
  DeviceRig rig;
  ASSERT_TRUE(rig.Plug(1).status.ok());
  EXPECT_THAT(rig.fake.WaitForCommand("device_add")->arguments, Not(HasSubstr("addr")));
  rig.fake.AddDimm(64 * kMiB, true);  // after ours
  ASSERT_TRUE(
      rig.observer.WaitUntil([](const Recorded& all) { return all.devices.back().devices.size() == 2; }));
  const int64_t theirs = rig.Devices().devices.back().address;
  ASSERT_TRUE(rig.Plug(2).status.ok());
  EXPECT_THAT(rig.fake.WaitForCommand("device_add", 2)->arguments,
              HasSubstr(StrCat("\"addr\":", theirs + kDimm)));
  // There may be no room at that address, and some where nobody but QEMU looks.
  rig.fake.SetFault(Fault::kErrorReply, "device_add");
  ASSERT_TRUE(rig.Plug(3).status.ok());
  EXPECT_THAT(rig.fake.WaitForCommand("device_add", 3)->arguments, HasSubstr("addr"));
  EXPECT_THAT(rig.fake.WaitForCommand("device_add", 4)->arguments, Not(HasSubstr("addr")));
}

TEST(QmpDevices, WhatIsNotOursStays) {
  RigOptions options = WithSlots();
  options.fake.virtio_mem_most = kGiB;
  DeviceRig rig(options);
  rig.fake.AddDimm(kDimm, true);  // "dimm1"
  ASSERT_TRUE(
      rig.observer.WaitUntil([](const Recorded& all) { return all.devices.back().devices.size() == 2; }));
  const DeviceReceipt foreign = rig.Unplug(1, "dimm1");
  EXPECT_EQ(foreign.status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(MessageOf(foreign.status),
              HasSubstr("was not plugged by Ballast: expected ballast-dimm-NUMBER"));
  EXPECT_EQ(rig.Unplug(2, "vm0").status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(rig.Unplug(3, "ballast-dimm-7").status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(rig.fake.WaitForCommand("device_del", 1, Nanos{0}), std::nullopt);
}

TEST(QmpDevices, VirtioMemTakesWhatItIsAskedFor) {
  RigOptions options;
  options.fake.virtio_mem_most = kGiB;
  DeviceRig rig(options);
  rig.actuator->Request(1, "vm0", 256 * kMiB);
  EXPECT_EQ(rig.observer.WaitForDeviceReceipt(1), (DeviceReceipt{1, absl::OkStatus(), "vm0"}));
  EXPECT_THAT(rig.fake.WaitForCommand("qom-set")->arguments,
              HasSubstr(R"("path":"/machine/peripheral/vm0","property":"requested-size")"));
  const policy::VmmReading reading = rig.observer.All().readings.back().value;
  EXPECT_EQ(reading.plug, (policy::PlugReading{256 * kMiB, 256 * kMiB, kGiB, 2 * kMiB, 256 * kMiB}));
  EXPECT_EQ(reading.base_bytes, kGiB) << "the balloon does not count it";
  rig.fake.SetVirtioMem(100 * kMiB);
  ASSERT_TRUE(rig.observer.WaitUntil([](const Recorded& all) {
    return !all.devices.back().devices.empty() && all.devices.back().devices[0].size_bytes == 100 * kMiB;
  }));
  EXPECT_EQ(rig.Devices().devices[0].requested_bytes, 256 * kMiB);
  rig.fake.Reset();
  EXPECT_TRUE(rig.observer.WaitUntil(
      [](const Recorded& all) { return all.readings.back().value.plug->plugged_bytes == 0; }));
}

TEST(QmpDevices, SizesThatVirtioMemCannotHave) {
  RigOptions options = WithSlots();
  options.fake.virtio_mem_most = kGiB;
  DeviceRig rig(options);
  ASSERT_TRUE(rig.Plug(1).status.ok());
  const std::tuple<std::string, int64_t, absl::StatusCode> cases[] = {
      {"vm0", 3 * kMiB, absl::StatusCode::kInvalidArgument},
      {"vm0", -2 * kMiB, absl::StatusCode::kInvalidArgument},
      {"vm0", kGiB + 2 * kMiB, absl::StatusCode::kInvalidArgument},
      {"vm1", 2 * kMiB, absl::StatusCode::kNotFound},
      {"ballast-dimm-0", 2 * kMiB, absl::StatusCode::kInvalidArgument},
      {"vm0", kGiB, kOk},
  };
  uint64_t id = 1;
  for (const auto& [device, bytes, code] : cases) {
    rig.actuator->Request(++id, device, bytes);
    EXPECT_EQ(rig.observer.WaitForDeviceReceipt(id).status.code(), code) << device << " " << bytes;
  }
  EXPECT_THAT(MessageOf(rig.observer.WaitForDeviceReceipt(2).status),
              HasSubstr("expected a multiple of 2097152 from 0 to 1073741824"));
}

TEST(QmpDevices, OrdersAreCarriedOutOneAfterTheOther) {
  DeviceRig rig;
  ASSERT_TRUE(rig.Plug(1).status.ok());
  rig.fake.SetUnplugAnswer(UnplugAnswer::kSilent);
  rig.actuator->Unplug(2, "ballast-dimm-0", Milliseconds(100));
  rig.actuator->Plug(3, kDimm);
  EXPECT_EQ(rig.observer.WaitForDeviceReceipt(3).device, "ballast-dimm-1");
  const auto receipts = rig.observer.All().device_receipts;
  ASSERT_EQ(receipts.size(), 3u);
  EXPECT_EQ(receipts[1].id, 2u);
  EXPECT_GT(rig.fake.WaitForCommand("object-add", 2)->at - rig.fake.WaitForCommand("device_del")->at,
            Milliseconds(90));
}

TEST(QmpDevices, MoreThan64OrdersDoNotWait) {
  DeviceRig rig;
  ASSERT_TRUE(rig.Plug(1000).status.ok());
  rig.fake.SetUnplugAnswer(UnplugAnswer::kSilent);
  rig.actuator->Unplug(1001, "ballast-dimm-0", Milliseconds(300));
  for (uint64_t id = 1; id <= 65; ++id) rig.actuator->Plug(id, 1);
  const DeviceReceipt refused = rig.observer.WaitForDeviceReceipt(65);
  EXPECT_EQ(refused.status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(MessageOf(refused.status), HasSubstr("64 orders"));
  EXPECT_EQ(rig.Receipts(1001), 0u);
  EXPECT_EQ(rig.observer.WaitForDeviceReceipt(64).status.code(), absl::StatusCode::kInvalidArgument);
}

TEST(QmpDevices, WithoutAConnectionEveryOrderIsRefused) {
  RigOptions options = WithSlots();
  options.actuator.socket_path = FreshSocketPath();  // nobody is there
  Rig rig(options);
  rig.actuator->Plug(1, kDimm);
  rig.actuator->Unplug(2, "ballast-dimm-0", Seconds(1));
  rig.actuator->Request(3, "vm0", 0);
  rig.actuator->RemoveOrphans(4);
  for (uint64_t id = 1; id <= 4; ++id) {
    EXPECT_EQ(rig.observer.WaitForDeviceReceipt(id).status.code(), absl::StatusCode::kUnavailable) << id;
  }
}

}  // namespace
}  // namespace ballast::vmm::qmp
