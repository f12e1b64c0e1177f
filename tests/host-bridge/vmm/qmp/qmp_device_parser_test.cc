// The dialogue below was recorded from QEMU 7.2 and 10.0; what is made up for a test says so.
#include "host-bridge/vmm/qmp/qmp_device_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "common/base/text.h"
#include "common/base/units.h"
#include "host-bridge/vmm/qmp/qmp_parser.h"

namespace ballast::vmm::qmp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

boost::json::value Json(std::string_view text) { return boost::json::parse({text.data(), text.size()}); }

template <typename Fact>
void ExpectRefused(const absl::StatusOr<Fact>& fact, const std::string& because) {
  ASSERT_FALSE(fact.ok());
  EXPECT_EQ(fact.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(MessageOf(fact.status()), HasSubstr(because));
}

Event EventOf(std::string_view text) {
  const auto message = ParseMessage(Json(text));
  EXPECT_TRUE(message.ok()) << message.status();
  return message.ok() ? std::get<Event>(*message) : Event{};
}

TEST(ParseMemoryDevices, KeepsDimmsAndVirtioMemByAddress) {
  const auto list = ParseMemoryDevices(Json(
      R"([{"type": "virtio-mem", "data": {"memdev": "/objects/vmem0", "memaddr": 4294967296, "block-size": 2097152, "size": 134217728, "node": 0, "max-size": 1073741824, "requested-size": 268435456, "id": "vm0"}},
          {"type": "dimm", "data": {"memdev": "/objects/mem2", "hotplugged": true, "addr": 5637144576, "hotpluggable": true, "size": 104857600, "slot": 1, "node": 0, "id": "dimm2"}},
          {"type": "dimm", "data": {"memdev": "/objects/ballast-mem-0", "hotplugged": true, "addr": 5368709120, "hotpluggable": true, "size": 268435456, "slot": 0, "node": 0, "id": "ballast-dimm-0"}}])"));
  ASSERT_TRUE(list.ok()) << list.status();
  ASSERT_EQ(list->entries.size(), 3u);
  EXPECT_EQ(list->entries[0].device, (MemoryDevice{DeviceKind::kVirtioMem, "vm0", 4294967296, 134217728,
                                                   268435456, 1073741824, 2097152, true}));
  EXPECT_EQ(list->entries[1].device, (MemoryDevice{DeviceKind::kDimm, "ballast-dimm-0", 5368709120, 268435456,
                                                   268435456, 268435456, 268435456, true}));
  EXPECT_EQ(list->entries[1].backend, "ballast-mem-0");
  EXPECT_FALSE(list->entries[2].device.ours) << "somebody else plugged it";
  EXPECT_EQ(list->dimm_bytes, 268435456 + 104857600);
  EXPECT_EQ(list->taken_slots, 2);
  EXPECT_EQ(list->taken_bytes, 1073741824 + 268435456 + 104857600)
      << "virtio-mem takes all its address space";
  EXPECT_THAT(list->taken, ElementsAre(Extent{4294967296, 1073741824}, Extent{5368709120, 268435456},
                                       Extent{5637144576, 104857600}));
  EXPECT_THAT(list->backends, ElementsAre("vmem0", "mem2", "ballast-mem-0"));
  EXPECT_EQ(*ParseMemoryDevices(Json("[]")), DeviceList{});
}

TEST(ParseMemoryDevices, OtherKindsOnlyTakeRoom) {
  // Made up after QEMU's schema.
  const auto list = ParseMemoryDevices(Json(
      R"([{"type": "nvdimm", "data": {"memdev": "/objects/n", "addr": 1, "size": 4096, "slot": 0, "node": 0, "hotplugged": false, "hotpluggable": true}},
          {"type": "virtio-pmem", "data": {"memdev": "/objects/p", "memaddr": 0, "size": 8192}},
          {"type": "sgx-epc", "data": {"memaddr": 7, "size": 9}},
          {"type": "hv-balloon", "data": {"memaddr": 65536, "max-size": 4}}, {"type": "hv-balloon", "data": {}}])"));
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_THAT(list->entries, IsEmpty());
  EXPECT_EQ(list->taken_slots, 1);
  EXPECT_EQ(list->taken_bytes, 4096 + 8192 + 9 + 4);
  EXPECT_THAT(list->taken, ElementsAre(Extent{0, 8192}, Extent{1, 4096}, Extent{65536, 4}))
      << "sgx-epc lies elsewhere";
}

TEST(ParseMemoryDevices, WhatHasNoIdGetsANameAndIsNobodysToMove) {
  const auto list = ParseMemoryDevices(Json(
      R"([{"type": "virtio-mem", "data": {"memdev": "/objects/v", "memaddr": 4294967296, "block-size": 2097152, "size": 0, "max-size": 1073741824, "requested-size": 0}}])"));
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ(list->entries[0].device.id, "unnamed-100000000");
  EXPECT_FALSE(list->entries[0].device.ours);
}

TEST(ParseMemoryDevices, RefusesSumsThatDoNotFit) {
  // Made up: each fits, together they do not.
  ExpectRefused(
      ParseMemoryDevices(Json(R"([{"type": "dimm", "data": {"addr": 0, "size": 4611686018427387904}},
                                  {"type": "dimm", "data": {"addr": 0, "size": 1}}])")),
      "expected no more than 4611686018427387904 bytes together");
  ExpectRefused(
      ParseMemoryDevices(Json(R"([{"type": "dimm", "data": {"addr": 0, "size": 4611686018427387904}},
                                            {"type": "nvdimm", "data": {"size": 1}}])")),
      "nvdimm size: expected an integer from 0 to 0, got 1");
}

TEST(ParseMemoryDevices, RefusesWhatEndsBeyondTheAddressSpace) {
  ExpectRefused(
      ParseMemoryDevices(Json(R"([{"type": "dimm", "data": {"addr": 4611686018427387904, "size": 1}}])")),
      "dimm addr: expected an integer from 0 to 4611686018427387903, got 4611686018427387904");
  ExpectRefused(
      ParseMemoryDevices(Json(
          R"([{"type": "virtio-mem", "data": {"memaddr": 4611686018427387904, "block-size": 1, "size": 0, "max-size": 1, "requested-size": 0}}])")),
      "a memaddr and max-size that add up to 4611686018427387904 at most");
  ExpectRefused(
      ParseMemoryDevices(Json(R"([{"type": "nvdimm", "data": {"addr": 4611686018427387904, "size": 1}}])")),
      "nvdimm addr: expected an integer from 0 to 4611686018427387903");
}

TEST(ParseMemoryDevices, NamesWhatIsWrong) {
  ExpectRefused(ParseMemoryDevices(Json(R"([{"type": "dimm"}])")), "expected a member 'data'");
  ExpectRefused(ParseMemoryDevices(Json("{}")), "query-memory-devices: expected an array, got {}");
  ExpectRefused(ParseMemoryDevices(Json(R"([{"type": "dimm", "data": {"addr": 0}}])")),
                "query-memory-devices dimm: expected a member 'size'");
  const std::string virtio_mem =
      R"([{"type": "virtio-mem", "data": {"memaddr": 0, "block-size": BLOCK, "size": 0, "max-size": 8, "requested-size": ASKED, "id": "v"}}])";
  const auto with = [&](const std::string& block, const std::string& asked) {
    std::string text = virtio_mem;
    text.replace(text.find("BLOCK"), 5, block);
    return Json(text.replace(text.find("ASKED"), 5, asked));
  };
  EXPECT_TRUE(ParseMemoryDevices(with("2", "8")).ok());
  ExpectRefused(ParseMemoryDevices(with("0", "8")), "block-size: expected more than 0, got 0");
  ExpectRefused(ParseMemoryDevices(with("2", "10")), "requested-size up to max-size");
  ExpectRefused(ParseMemoryDevices(with("\"2\"", "8")), "got \"2\"");
}

TEST(ParseMemoryLimits, SaysWhatTheCommandLineGave) {
  EXPECT_EQ(*ParseMemoryLimits(Json(R"({"size": 268435456, "slots": 4, "max-size": 4294967296})")),
            (MemoryLimits{4294967296, 4}));
  EXPECT_EQ(*ParseMemoryLimits(Json(R"({"size": 268435456})")), (MemoryLimits{268435456, 0}));
  ExpectRefused(ParseMemoryLimits(Json(R"({"size": 268435456, "max-size": 1})")),
                "max-size: expected an integer from 268435456");
  ExpectRefused(ParseMemoryLimits(Json("7")), "/machine memory: expected an object, got 7");
}

TEST(ParseBackends, KeepsWhatHoldsMemory) {
  const auto backends = ParseBackends(Json(
      R"([{"name": "type", "type": "string"}, {"name": "io1", "type": "child<iothread>"}, {"name": "ballast-mem-0", "type": "child<memory-backend-memfd>"}, {"name": "pc.ram", "type": "child<memory-backend-ram>"}])"));
  ASSERT_TRUE(backends.ok()) << backends.status();
  EXPECT_THAT(*backends, ElementsAre(Backend{"ballast-mem-0", "memory-backend-memfd"},
                                     Backend{"pc.ram", "memory-backend-ram"}));
  ExpectRefused(ParseBackends(Json(R"([{"name": "x"}])")), "expected a member 'type'");
}

TEST(ParseLink, IsTheLastPartOfThePath) {
  EXPECT_EQ(*ParseLink(Json("\"/objects/pc.ram\"")), "pc.ram");
  EXPECT_EQ(*ParseLink(Json("\"\"")), "");
  ExpectRefused(ParseLink(Json("null")), "expected a string, got null");
}

TEST(ParseGuestAnswer, OfADimmThatCameOneThatGoesAndOneThatHasGone) {
  const Event came = EventOf(
      R"({"timestamp": {"seconds": 1795207896, "microseconds": 765009}, "event": "ACPI_DEVICE_OST", "data": {"info": {"device": "dimm1", "source": 1, "status": 0, "slot": "0", "slot-type": "DIMM"}}})");
  EXPECT_EQ(came.kind, Event::Kind::kGuestAnswer);
  EXPECT_EQ(came.answer, (GuestAnswer{"dimm1", "0", 1, 0}));
  EXPECT_EQ(VerdictOf(came.answer), UnplugVerdict::kNone);
  const Event busy = EventOf(
      R"({"event": "ACPI_DEVICE_OST", "data": {"info": {"device": "dimm3", "source": 3, "status": 130, "slot": "0", "slot-type": "DIMM"}}})");
  EXPECT_EQ(VerdictOf(busy.answer), UnplugVerdict::kRefused);
  EXPECT_EQ(TextOf(busy.answer), "device busy (130)");
  const Event gone = EventOf(
      R"({"event": "ACPI_DEVICE_OST", "data": {"info": {"source": 3, "status": 0, "slot": "0", "slot-type": "DIMM"}}})");
  EXPECT_EQ(gone.answer.device, "");
  EXPECT_EQ(VerdictOf(gone.answer), UnplugVerdict::kNone);
}

TEST(VerdictOf, EveryAnswerToAnEjection) {
  for (const int64_t source : {3, 0x103}) {
    EXPECT_EQ(VerdictOf({"d", "0", source, 0}), UnplugVerdict::kNone) << "only DEVICE_DELETED says that";
    EXPECT_EQ(VerdictOf({"d", "0", source, 132}), UnplugVerdict::kWorking);
    for (const int64_t refused :
         {int64_t{1}, int64_t{2}, int64_t{128}, int64_t{129}, int64_t{131}, int64_t{4000000000}}) {
      EXPECT_EQ(VerdictOf({"d", "0", source, refused}), UnplugVerdict::kRefused) << refused;
    }
  }
  EXPECT_EQ(VerdictOf({"d", "0", 1, 130}), UnplugVerdict::kNone) << "an answer to an arrival";
}

TEST(ParseGuestAnswers, LeavesTheProcessorsOut) {
  const auto answers = ParseGuestAnswers(Json(
      R"([{"device": "ballast-dimm-0", "source": 0, "status": 0, "slot": "0", "slot-type": "DIMM"}, {"source": 0, "status": 0, "slot": "1", "slot-type": "DIMM"}, {"source": 0, "status": 0, "slot": "0", "slot-type": "CPU"}])"));
  ASSERT_TRUE(answers.ok()) << answers.status();
  EXPECT_THAT(*answers, ElementsAre(GuestAnswer{"ballast-dimm-0", "0", 0, 0}, GuestAnswer{"", "1", 0, 0}));
  ExpectRefused(ParseGuestAnswers(Json(R"([{"slot-type": "DIMM", "slot": 1}])")), "slot: expected a string");
}

TEST(ParseMessage, DevicesThatGoOrDoNot) {
  const Event gone = EventOf(
      R"({"event": "DEVICE_DELETED", "data": {"device": "dimm1", "path": "/machine/peripheral/dimm1"}})");
  EXPECT_EQ(gone.kind, Event::Kind::kDeviceDeleted);
  EXPECT_EQ(gone.device.device, "dimm1");
  const Event part =
      EventOf(R"({"event": "DEVICE_DELETED", "data": {"path": "/machine/peripheral/vm0/virtio-backend"}})");
  EXPECT_EQ(part.device.device, "");
  // Made up after QEMU's schema: x86 gives neither for a DIMM.
  const Event old = EventOf(R"({"event": "MEM_UNPLUG_ERROR", "data": {"device": "dimm1", "msg": "pinned"}})");
  EXPECT_EQ(old.kind, Event::Kind::kUnplugError);
  EXPECT_EQ(old.device, (DeviceNews{"dimm1", "pinned"}));
  const Event today = EventOf(
      R"({"event": "DEVICE_UNPLUG_GUEST_ERROR", "data": {"device": "dimm1", "path": "/machine/peripheral/dimm1"}})");
  EXPECT_EQ(today.kind, Event::Kind::kUnplugError);
  EXPECT_EQ(today.device, (DeviceNews{"dimm1", ""}));
}

TEST(ParseMessage, VirtioMemThatGrows) {
  const Event event = EventOf(
      R"({"event": "MEMORY_DEVICE_SIZE_CHANGE", "data": {"size": 268435456, "qom-path": "/machine/peripheral/vm0", "id": "vm0"}})");
  EXPECT_EQ(event.kind, Event::Kind::kDeviceSize);
  EXPECT_EQ(event.size, (SizeChange{"/machine/peripheral/vm0", 268435456}));
}

TEST(ParseMessage, EventsAboutDevicesAreChecked) {
  ExpectRefused(ParseMessage(Json(R"({"event": "ACPI_DEVICE_OST"})")),
                "ACPI_DEVICE_OST: expected an object, got null");
  ExpectRefused(
      ParseMessage(Json(
          R"({"event": "ACPI_DEVICE_OST", "data": {"info": {"slot": "0", "source": -1, "status": 0}}})")),
      "ACPI_DEVICE_OST source: expected an integer from 0 to 4294967296, got -1");
  ExpectRefused(ParseMessage(Json(R"({"event": "DEVICE_DELETED", "data": {"device": 7}})")),
                "device: expected a string, got 7");
  ExpectRefused(ParseMessage(Json(R"({"event": "MEMORY_DEVICE_SIZE_CHANGE", "data": {"size": 1}})")),
                "expected a member 'qom-path'");
}

TEST(QomProperties, SwitchesAndSizes) {
  EXPECT_TRUE(*ParseSwitch(Json("true")));
  ExpectRefused(ParseSwitch(Json("1")), "expected true or false, got 1");
  EXPECT_EQ(*ParseSize(Json("2097152")), 2 * kMiB);
  ExpectRefused(ParseSize(Json("-1")), "got -1");
}

}  // namespace
}  // namespace ballast::vmm::qmp
