#include "host-bridge/vmm/qmp/qmp_device_parser.h"

#include <algorithm>
#include <boost/json.hpp>

#include "common/base/text.h"
#include "host-bridge/vmm/qmp/json_parser.h"

namespace ballast::vmm::qmp {
namespace {

namespace json = boost::json;

constexpr std::string_view kDevices = "query-memory-devices";
// ACPI 6.4, 6.3.5 (_OST): the guest speaks of an ejection that it was asked for, or that it began itself.
constexpr int64_t kEjectRequest = 3;
constexpr int64_t kEjectBegun = 0x103;
constexpr int64_t kSuccess = 0;
constexpr int64_t kEjectInProgress = 0x84;

std::string LastPart(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// A member of one device; a sum with `already` must fit, too.
absl::StatusOr<int64_t> Bytes(const json::value& data, std::string_view what, std::string_view name,
                              int64_t already = 0) {
  return IntegerMember(data, what, name, {0, kMaxBytes - already});
}

absl::Status TakeDimm(const json::value& data, MemoryDevice& device) {
  const std::string what = StrCat(kDevices, " dimm");
  const auto size = Bytes(data, what, "size");
  if (!size.ok()) return size.status();
  const auto address = Bytes(data, what, "addr", *size);
  if (!address.ok()) return address.status();
  device.kind = DeviceKind::kDimm;
  device.address = *address;
  device.size_bytes = device.requested_bytes = device.most_bytes = device.block_bytes = *size;
  return absl::OkStatus();
}

absl::Status TakeVirtioMem(const json::value& data, MemoryDevice& device) {
  const std::string what = StrCat(kDevices, " virtio-mem");
  struct Field {
    std::string_view name;
    int64_t& into;
  };
  device.kind = DeviceKind::kVirtioMem;
  const Field fields[] = {{"memaddr", device.address},
                          {"size", device.size_bytes},
                          {"requested-size", device.requested_bytes},
                          {"max-size", device.most_bytes},
                          {"block-size", device.block_bytes}};
  for (const Field& field : fields) {
    const auto number = Bytes(data, what, field.name);
    if (!number.ok()) return number.status();
    field.into = *number;
  }
  if (device.block_bytes == 0) return Wrong(StrCat(what, " block-size"), "more than 0", 0);
  if (device.size_bytes > device.most_bytes || device.requested_bytes > device.most_bytes) {
    return Wrong(what, "a size and a requested-size up to max-size", data);
  }
  if (device.address > kMaxBytes - device.most_bytes)
    return Wrong(what, StrCat("a memaddr and max-size that add up to ", kMaxBytes, " at most"), data);
  return absl::OkStatus();
}

// Of a kind that Ballast leaves alone: what it takes of slots and address space.
absl::Status TakeOther(const std::string& type, const json::value& data, DeviceList& list) {
  if (type == "nvdimm") ++list.taken_slots;
  if (!data.is_object()) return absl::OkStatus();
  const char* const name_of_size = type == "hv-balloon" ? "max-size" : "size";
  if (!data.get_object().contains(name_of_size)) return absl::OkStatus();
  const std::string what = StrCat(kDevices, " ", type);
  const auto size = Bytes(data, what, name_of_size, list.taken_bytes);
  if (!size.ok()) return size.status();
  list.taken_bytes += *size;
  if (type == "sgx-epc") return absl::OkStatus();  // it lies elsewhere
  for (const char* name : {"addr", "memaddr"}) {
    if (!data.get_object().contains(name)) continue;
    const auto address = Bytes(data, what, name, *size);
    if (!address.ok()) return address.status();
    list.taken.push_back({*address, *size});
  }
  return absl::OkStatus();
}

absl::Status TakeKnown(bool is_dimm, const json::value& data, const std::string& backend, DeviceList& list) {
  DeviceList::Entry entry;
  MemoryDevice& device = entry.device;
  const absl::Status taken = is_dimm ? TakeDimm(data, device) : TakeVirtioMem(data, device);
  if (!taken.ok()) return taken;
  // Sizes were checked one by one; the sum has to fit as well.
  if (device.most_bytes > kMaxBytes - list.taken_bytes) {
    return Wrong(kDevices, StrCat("no more than ", kMaxBytes, " bytes together"), data);
  }
  auto id = OptionalTextMember(data, kDevices, "id");
  if (!id.ok()) return id.status();
  const bool named = !id->empty();
  device.id = named ? *std::move(id) : StrCat("unnamed-", absl::Hex(device.address));
  device.ours = named && (!is_dimm || device.id.starts_with(kDimmPrefix));
  entry.backend = backend;
  list.taken_bytes += device.most_bytes;
  list.taken.push_back({device.address, device.most_bytes});
  if (is_dimm) {
    list.dimm_bytes += device.size_bytes;
    ++list.taken_slots;
  }
  list.entries.push_back(std::move(entry));
  return absl::OkStatus();
}

absl::StatusOr<GuestAnswer> ParseAnswer(const json::value& info, std::string_view what) {
  GuestAnswer answer;
  auto device = OptionalTextMember(info, what, "device");
  if (!device.ok()) return device.status();
  auto slot = TextMember(info, what, "slot");
  if (!slot.ok()) return slot.status();
  constexpr Range kCode{0, int64_t{1} << 32};
  const auto source = IntegerMember(info, what, "source", kCode);
  if (!source.ok()) return source.status();
  const auto status = IntegerMember(info, what, "status", kCode);
  if (!status.ok()) return status.status();
  return GuestAnswer{*std::move(device), *std::move(slot), *source, *status};
}

}  // namespace

absl::StatusOr<DeviceList> ParseMemoryDevices(const json::value& result) {
  const auto list = List(result, kDevices);
  if (!list.ok()) return list.status();
  DeviceList devices;
  for (const json::value& device : **list) {
    const auto type = TextMember(device, kDevices, "type");
    if (!type.ok()) return type.status();
    const auto data = Member(device, kDevices, "data");
    if (!data.ok()) return data.status();
    const auto path = OptionalTextMember(**data, kDevices, "memdev");
    if (!path.ok()) return path.status();
    const std::string backend = LastPart(*path);
    if (!backend.empty()) devices.backends.push_back(backend);
    const bool known = *type == "dimm" || *type == "virtio-mem";
    const absl::Status taken =
        known ? TakeKnown(*type == "dimm", **data, backend, devices) : TakeOther(*type, **data, devices);
    if (!taken.ok()) return taken;
  }
  std::sort(devices.entries.begin(), devices.entries.end(), [](const auto& a, const auto& b) {
    return a.device.address != b.device.address ? a.device.address < b.device.address
                                                : a.device.id < b.device.id;
  });
  std::sort(devices.taken.begin(), devices.taken.end(),
            [](const Extent& a, const Extent& b) { return a.address < b.address; });
  return devices;
}

absl::StatusOr<MemoryLimits> ParseMemoryLimits(const json::value& result) {
  constexpr std::string_view kWhat = "/machine memory";
  const auto size = IntegerMember(result, kWhat, "size", {1, kMaxBytes});
  if (!size.ok()) return size.status();
  MemoryLimits limits{*size, 0};
  if (result.get_object().contains("max-size")) {
    const auto most = IntegerMember(result, kWhat, "max-size", {*size, kMaxBytes});
    if (!most.ok()) return most.status();
    limits.most_bytes = *most;
  }
  if (result.get_object().contains("slots")) {
    const auto slots = IntegerMember(result, kWhat, "slots", {0, 1 << 20});
    if (!slots.ok()) return slots.status();
    limits.slots = *slots;
  }
  return limits;
}

absl::StatusOr<std::vector<Backend>> ParseBackends(const json::value& result) {
  constexpr std::string_view kWhat = "qom-list /objects";
  constexpr std::string_view kChild = "child<memory-backend-";
  const auto list = List(result, kWhat);
  if (!list.ok()) return list.status();
  std::vector<Backend> backends;
  for (const json::value& entry : **list) {
    auto type = TextMember(entry, kWhat, "type");
    if (!type.ok()) return type.status();
    if (!type->starts_with(kChild) || !type->ends_with('>')) continue;
    auto name = TextMember(entry, kWhat, "name");
    if (!name.ok()) return name.status();
    const size_t begin = std::string_view("child<").size();
    backends.push_back({*std::move(name), type->substr(begin, type->size() - begin - 1)});
  }
  return backends;
}

absl::StatusOr<std::string> ParseLink(const json::value& result) {
  const auto path = Text(result, "qom-get of a link");
  if (!path.ok()) return path.status();
  return LastPart(*path);
}

absl::StatusOr<bool> ParseSwitch(const json::value& result) { return Truth(result, "qom-get of a switch"); }

absl::StatusOr<int64_t> ParseSize(const json::value& result) {
  return Integer(result, "qom-get of a size", {0, kMaxBytes});
}

absl::StatusOr<GuestAnswer> ParseGuestAnswer(const json::value& data) {
  constexpr std::string_view kWhat = "ACPI_DEVICE_OST";
  const auto info = Member(data, kWhat, "info");
  if (!info.ok()) return info.status();
  return ParseAnswer(**info, kWhat);
}

absl::StatusOr<std::vector<GuestAnswer>> ParseGuestAnswers(const json::value& result) {
  constexpr std::string_view kWhat = "query-acpi-ospm-status";
  const auto list = List(result, kWhat);
  if (!list.ok()) return list.status();
  std::vector<GuestAnswer> answers;
  for (const json::value& entry : **list) {
    const auto type = TextMember(entry, kWhat, "slot-type");
    if (!type.ok()) return type.status();
    if (*type != "DIMM") continue;
    auto answer = ParseAnswer(entry, kWhat);
    if (!answer.ok()) return answer.status();
    answers.push_back(*std::move(answer));
  }
  return answers;
}

UnplugVerdict VerdictOf(const GuestAnswer& answer) {
  if (answer.source != kEjectRequest && answer.source != kEjectBegun) return UnplugVerdict::kNone;
  if (answer.status == kEjectInProgress) return UnplugVerdict::kWorking;
  return answer.status == kSuccess ? UnplugVerdict::kNone : UnplugVerdict::kRefused;
}

std::string TextOf(const GuestAnswer& answer) {
  struct Word {
    int64_t status;
    std::string_view text;
  };
  constexpr Word kWords[] = {{1, "failed"},           {2, "not understood"},
                             {128, "not supported"},  {129, "device in use"},
                             {130, "device busy"},    {131, "something it needs is busy"},
                             {132, "being worked on"}};
  for (const Word& word : kWords) {
    if (word.status == answer.status) return StrCat(word.text, " (", answer.status, ")");
  }
  return StrCat("status ", answer.status);
}

absl::StatusOr<SizeChange> ParseSizeChange(const json::value& data) {
  constexpr std::string_view kWhat = "MEMORY_DEVICE_SIZE_CHANGE";
  const auto size = IntegerMember(data, kWhat, "size", {0, kMaxBytes});
  if (!size.ok()) return size.status();
  auto path = TextMember(data, kWhat, "qom-path");
  if (!path.ok()) return path.status();
  return SizeChange{*std::move(path), *size};
}

absl::StatusOr<DeviceNews> ParseDeviceNews(const json::value& data) {
  constexpr std::string_view kWhat = "a device's event";
  auto device = OptionalTextMember(data, kWhat, "device");
  if (!device.ok()) return device.status();
  auto message = OptionalTextMember(data, kWhat, "msg");
  if (!message.ok()) return message.status();
  return DeviceNews{*std::move(device), *std::move(message)};
}

}  // namespace ballast::vmm::qmp
