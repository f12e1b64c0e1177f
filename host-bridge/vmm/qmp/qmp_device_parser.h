// What QEMU's monitor says of memory devices and their backends, as facts. Pure, like qmp_parser.h.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "host-bridge/vmm/memory_devices.h"

namespace ballast::vmm::qmp {

// What Ballast plugs has these names, and a number that the two share.
inline constexpr std::string_view kDimmPrefix = "ballast-dimm-";
inline constexpr std::string_view kBackendPrefix = "ballast-mem-";

// A part of the guest's address space; its end is at most 2^62.
struct Extent {
  int64_t address = 0;
  int64_t bytes = 0;

  friend bool operator==(const Extent&, const Extent&) = default;
};

// query-memory-devices. Kinds that Ballast does not know (nvdimm, virtio-pmem, ...) only count as taken.
struct DeviceList {
  struct Entry {
    MemoryDevice device;
    std::string backend;  // the id of its backend; "" where QEMU does not say

    friend bool operator==(const Entry&, const Entry&) = default;
  };
  std::vector<Entry> entries;  // DIMMs and virtio-mem, by address
  int64_t dimm_bytes = 0;      // of all DIMMs: they are in the balloon's number
  int64_t taken_slots = 0;     // of those that -m slots= gave: DIMMs and nvdimms have one each
  int64_t taken_bytes = 0;     // of the address space for devices: of virtio-mem all it could ever take
  std::vector<Extent> taken;   // where that is, by address; not of those that do not say it
  std::vector<std::string> backends;  // the ids of those in use, by any kind

  friend bool operator==(const DeviceList&, const DeviceList&) = default;
};
// Addresses and sizes 0..2^62, also their sums. A device without an id gets one made of its address, and is
// not `ours`: nothing can be asked of it.
[[nodiscard]] absl::StatusOr<DeviceList> ParseMemoryDevices(const boost::json::value& result);

// qom-get /machine memory: what -m gave to the VM.
struct MemoryLimits {
  int64_t most_bytes = 0;  // boot memory and everything that can be plugged
  int64_t slots = 0;       // for DIMMs

  friend bool operator==(const MemoryLimits&, const MemoryLimits&) = default;
};
// most_bytes is the boot memory where the VM has no maxmem.
[[nodiscard]] absl::StatusOr<MemoryLimits> ParseMemoryLimits(const boost::json::value& result);

// One of `/objects` that holds memory.
struct Backend {
  std::string id;
  std::string type;  // memory-backend-ram, memory-backend-memfd, ...

  friend bool operator==(const Backend&, const Backend&) = default;
};
// qom-list /objects.
[[nodiscard]] absl::StatusOr<std::vector<Backend>> ParseBackends(const boost::json::value& result);
// qom-get of a property that is a link: the last part of the path; "" when it leads nowhere.
[[nodiscard]] absl::StatusOr<std::string> ParseLink(const boost::json::value& result);
// qom-get of a property that is true or false.
[[nodiscard]] absl::StatusOr<bool> ParseSwitch(const boost::json::value& result);
// qom-get of a size, 0..2^62.
[[nodiscard]] absl::StatusOr<int64_t> ParseSize(const boost::json::value& result);

// The data of the events about devices. A guest's answer to a DIMM, in ACPI's numbers (_OST): not to be
// believed, it only says what the guest says.
struct GuestAnswer {
  std::string device;  // "" once the device has gone
  std::string slot;
  int64_t source = 0;
  int64_t status = 0;

  friend bool operator==(const GuestAnswer&, const GuestAnswer&) = default;
};
// ACPI_DEVICE_OST.
[[nodiscard]] absl::StatusOr<GuestAnswer> ParseGuestAnswer(const boost::json::value& data);
// query-acpi-ospm-status: the last answer of each slot, those of CPUs left out.
[[nodiscard]] absl::StatusOr<std::vector<GuestAnswer>> ParseGuestAnswers(const boost::json::value& result);

enum class UnplugVerdict { kNone, kWorking, kRefused };
// What an answer says of a request to let a device go; kNone: it is about something else.
[[nodiscard]] UnplugVerdict VerdictOf(const GuestAnswer& answer);
// In words, for people: "busy (130)".
[[nodiscard]] std::string TextOf(const GuestAnswer& answer);

// MEMORY_DEVICE_SIZE_CHANGE.
struct SizeChange {
  std::string path;  // in QEMU's object tree; an id need not be there
  int64_t size_bytes = 0;

  friend bool operator==(const SizeChange&, const SizeChange&) = default;
};
[[nodiscard]] absl::StatusOr<SizeChange> ParseSizeChange(const boost::json::value& data);

// DEVICE_DELETED, MEM_UNPLUG_ERROR and DEVICE_UNPLUG_GUEST_ERROR.
struct DeviceNews {
  std::string device;   // "" when it had no id
  std::string message;  // of the errors; may be ""

  friend bool operator==(const DeviceNews&, const DeviceNews&) = default;
};
[[nodiscard]] absl::StatusOr<DeviceNews> ParseDeviceNews(const boost::json::value& data);

}  // namespace ballast::vmm::qmp
