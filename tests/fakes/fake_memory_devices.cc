#include "tests/fakes/fake_memory_devices.h"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "common/base/text.h"
#include "tests/fakes/fake_qmp.h"
#include "tests/fakes/fake_qmp_machine.h"

namespace ballast::fakes {
namespace {

namespace json = boost::json;

constexpr int64_t kFirstAddress = 4 * kGiB;
constexpr std::string_view kDone = "\"return\": {}";

std::string TextOf(const json::object& arguments, std::string_view name) {
  const json::value* value = arguments.if_contains(name);
  return value != nullptr && value->is_string() ? json::value_to<std::string>(*value) : "";
}

int64_t NumberOf(const json::object& arguments, std::string_view name) {
  const json::value* value = arguments.if_contains(name);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

std::string Refuse(std::string_view description) { return FakeMachine::Refusal("GenericError", description); }

std::string JsonOf(bool value) { return value ? "true" : "false"; }

}  // namespace

FakeMemoryDevices::FakeMemoryDevices(const FakeQmpOptions& options)
    : boot_bytes_(options.boot_bytes),
      slots_(options.slots),
      most_bytes_(options.most_bytes),
      knows_memory_(options.knows_memory),
      numa_(options.numa),
      huge_page_bytes_(options.huge_page_bytes),
      virtio_mem_bytes_(options.virtio_mem_bytes),
      virtio_mem_requested_(options.virtio_mem_bytes),
      virtio_mem_most_(std::max(options.virtio_mem_most, options.virtio_mem_bytes)) {
  if (virtio_mem_most_ > 0) AddBackend("vmem0", "memory-backend-ram", false);
  AddBackend("ram0", options.shared_memory ? "memory-backend-memfd" : "memory-backend-ram",
             options.shared_memory);
}

std::optional<std::string> FakeMemoryDevices::Execute(const std::string& command,
                                                      const json::object& arguments) {
  if (command == "query-memory-devices") return StrCat("\"return\": [", List(), "]");
  if (command == "object-add") return AddObject(arguments);
  if (command == "object-del") return DeleteObject(arguments);
  if (command == "device_add") return AddDevice(arguments);
  if (command == "device_del") return DeleteDevice(arguments);
  if (command == "qom-get") return Get(arguments);
  if (command == "qom-set") return Set(arguments);
  if (command == "qom-list" && TextOf(arguments, "path") == "/objects") return Objects();
  if (command == "query-acpi-ospm-status") {
    return R"("return": [{"device": "ballast-dimm-0", "source": 3, "status": 130, "slot": "0", "slot-type": "DIMM"}, {"source": 0, "status": 0, "slot": "1", "slot-type": "CPU"}])";
  }
  return std::nullopt;
}

const FakeMemoryDevices::Backend* FakeMemoryDevices::FindBackend(const std::string& id) const {
  const auto found =
      std::find_if(backends_.begin(), backends_.end(), [&](const auto& b) { return b.id == id; });
  return found == backends_.end() ? nullptr : &*found;
}

void FakeMemoryDevices::AddBackend(const std::string& id, const std::string& type, bool share) {
  backends_.push_back({id, type, share, 0});
}

void FakeMemoryDevices::AddDimm(const std::string& id, const std::string& backend, int64_t bytes) {
  Dimm dimm{id, backend, bytes, kFirstAddress, 0};
  for (const Dimm& other : dimms_) {
    dimm.address = std::max(dimm.address, other.address + other.bytes);
    if (other.slot == dimm.slot) ++dimm.slot;
  }
  dimms_.push_back(dimm);
}

std::string FakeMemoryDevices::AddObject(const json::object& arguments) {
  const std::string id = TextOf(arguments, "id");
  if (FindBackend(id) != nullptr) return Refuse("attempt to add duplicate property");
  const json::value* share = arguments.if_contains("share");
  backends_.push_back({id, TextOf(arguments, "qom-type"), share != nullptr && share->get_bool(),
                       NumberOf(arguments, "size")});
  return std::string(kDone);
}

std::string FakeMemoryDevices::DeleteObject(const json::object& arguments) {
  const std::string id = TextOf(arguments, "id");
  const bool used = std::any_of(dimms_.begin(), dimms_.end(), [&](const Dimm& d) { return d.backend == id; });
  if (used) return Refuse(StrCat("object '", id, "' is in use, can not be deleted"));
  if (std::erase_if(backends_, [&](const Backend& b) { return b.id == id; }) == 0) {
    return Refuse(StrCat("object '", id, "' not found"));
  }
  return std::string(kDone);
}

std::string FakeMemoryDevices::AddDevice(const json::object& arguments) {
  const Backend* backend = FindBackend(TextOf(arguments, "memdev"));
  if (backend == nullptr) return FakeMachine::Refusal("DeviceNotFound", "Device not found");
  if (static_cast<int>(dimms_.size()) >= slots_) return Refuse("no free slots available");
  AddDimm(TextOf(arguments, "id"), backend->id, backend->bytes);
  if (arguments.contains("addr")) dimms_.back().address = NumberOf(arguments, "addr");
  Answer(dimms_.back(), 1, 0);
  return std::string(kDone);
}

std::string FakeMemoryDevices::DeleteDevice(const json::object& arguments) {
  const std::string id = TextOf(arguments, "id");
  const auto dimm = std::find_if(dimms_.begin(), dimms_.end(), [&](const Dimm& d) { return d.id == id; });
  if (dimm == dimms_.end())
    return FakeMachine::Refusal("DeviceNotFound", StrCat("Device '", id, "' not found"));
  switch (answer_) {
    case UnplugAnswer::kLetsGo:
    case UnplugAnswer::kLetsGoAtOnce:
      LetGo(id);
      break;
    case UnplugAnswer::kRefuses:
      Answer(*dimm, 3, 132);
      Answer(*dimm, 3, 130);
      break;
    case UnplugAnswer::kErrors:
      events_.push_back({"MEM_UNPLUG_ERROR", StrCat(R"({"device": ")", id, R"(", "msg": "it is pinned"})")});
      events_.push_back({"DEVICE_UNPLUG_GUEST_ERROR",
                         StrCat(R"({"device": ")", id, R"(", "path": "/machine/peripheral/)", id, "\"}")});
      break;
    case UnplugAnswer::kSilent:
      break;
  }
  return std::string(kDone);
}

void FakeMemoryDevices::LetGo(const std::string& id) {
  const auto dimm = std::find_if(dimms_.begin(), dimms_.end(), [&](const Dimm& d) { return d.id == id; });
  if (dimm == dimms_.end()) return;
  Answer(*dimm, 3, 132);
  events_.push_back(
      {"DEVICE_DELETED", StrCat(R"({"device": ")", id, R"(", "path": "/machine/peripheral/)", id, "\"}")});
  events_.push_back(
      {"ACPI_DEVICE_OST", R"({"info": {"source": 3, "status": 0, "slot": "0", "slot-type": "DIMM"}})"});
  dimms_.erase(dimm);
}

void FakeMemoryDevices::SetVirtioMem(int64_t bytes) {
  if (virtio_mem_most_ == 0) return;
  virtio_mem_bytes_ = bytes;
  events_.push_back(
      {"MEMORY_DEVICE_SIZE_CHANGE",
       StrCat("{\"size\": ", bytes, R"(, "qom-path": "/machine/peripheral/vm0", "id": "vm0"})")});
}

void FakeMemoryDevices::Answer(const Dimm& dimm, int source, int status) {
  events_.push_back({"ACPI_DEVICE_OST", StrCat(R"({"info": {"device": ")", dimm.id, R"(", "source": )",
                                               source, ", \"status\": ", status, ", \"slot\": \"", dimm.slot,
                                               R"(", "slot-type": "DIMM"}})")});
}

std::optional<std::string> FakeMemoryDevices::Get(const json::object& arguments) const {
  const std::string property = TextOf(arguments, "property");
  const std::string path = TextOf(arguments, "path");
  if (property == "memory") {
    if (!knows_memory_) return Refuse("Property 'pc-q35-6.2-machine.memory' not found");
    if (slots_ == 0) return StrCat("\"return\": {\"size\": ", boot_bytes_, "}");
    return StrCat("\"return\": {\"size\": ", boot_bytes_, ", \"slots\": ", slots_,
                  ", \"max-size\": ", most_bytes_, "}");
  }
  if (property == "memory-backend") return numa_ ? "\"return\": \"\"" : "\"return\": \"/objects/ram0\"";
  const Backend* backend = FindBackend(path.substr(path.rfind('/') + 1));
  if (backend == nullptr) return std::nullopt;
  if (property == "share") return StrCat("\"return\": ", JsonOf(backend->share));
  if (property == "hugetlb") return StrCat("\"return\": ", JsonOf(huge_page_bytes_ > 0));
  return StrCat("\"return\": ", huge_page_bytes_);
}

std::optional<std::string> FakeMemoryDevices::Set(const json::object& arguments) {
  if (TextOf(arguments, "property") != "requested-size") return std::nullopt;
  virtio_mem_requested_ = NumberOf(arguments, "value");
  SetVirtioMem(virtio_mem_requested_);
  return std::string(kDone);
}

std::string FakeMemoryDevices::List() const {
  std::string list;
  if (virtio_mem_most_ > 0) {
    list =
        StrCat(R"({"type": "virtio-mem", "data": {"memdev": "/objects/vmem0", "memaddr": 274877906944, )",
               R"("block-size": 2097152, "node": 0, "id": "vm0", "size": )", virtio_mem_bytes_,
               ", \"max-size\": ", virtio_mem_most_, ", \"requested-size\": ", virtio_mem_requested_, "}}");
  }
  for (const Dimm& dimm : dimms_) {
    if (!list.empty()) list += ", ";
    list += StrCat(R"({"type": "dimm", "data": {"memdev": "/objects/)", dimm.backend,
                   R"(", "hotplugged": true, "addr": )", dimm.address, R"(, "hotpluggable": true, "size": )",
                   dimm.bytes, ", \"slot\": ", dimm.slot, R"(, "node": 0, "id": ")", dimm.id, "\"}}");
  }
  return list;
}

std::string FakeMemoryDevices::Objects() const {
  std::string list = R"({"name": "type", "type": "string"})";
  for (const Backend& backend : backends_) {
    list += StrCat(R"(, {"name": ")", backend.id, R"(", "type": "child<)", backend.type, ">\"}");
  }
  return StrCat("\"return\": [", list, "]");
}

int64_t FakeMemoryDevices::DimmBytes() const {
  int64_t sum = 0;
  for (const Dimm& dimm : dimms_) sum += dimm.bytes;
  return sum;
}

std::vector<std::string> FakeMemoryDevices::Names() const {
  std::vector<std::string> names;
  for (const Dimm& dimm : dimms_) names.push_back(dimm.id);
  for (const Backend& backend : backends_) names.push_back(backend.id);
  return names;
}

std::vector<FakeMemoryDevices::FakeEvent> FakeMemoryDevices::TakeEvents() {
  return std::exchange(events_, {});
}

}  // namespace ballast::fakes
