// What QEMU's monitor says, as facts. Pure: from JSON values to plain structs, everything checked for
// presence, type and range. Members Ballast does not know are ignored, because every QEMU release adds some.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/units.h"
#include "host-bridge/vmm/balloon_statistics.h"
#include "host-bridge/vmm/qmp/qmp_device_parser.h"

namespace ballast::vmm::qmp {

// The first message of a monitor: {"QMP":{"version":{"qemu":{"major":7,...},"package":"..."},...}}.
struct Greeting {
  int64_t major = 0;
  int64_t minor = 0;
  int64_t micro = 0;
  std::string package;  // as the distribution names it; may be empty

  friend bool operator==(const Greeting&, const Greeting&) = default;
};

// The answer to a command that succeeded.
struct Return {
  uint64_t id = 0;
  boost::json::value value;
};

// The answer to a command that failed. Without an id QEMU could not even read the command: then nothing says
// which command it was.
struct Error {
  std::optional<uint64_t> id;
  std::string error_class;  // branch on this; `description` changes between releases
  std::string description;
};

struct Event {
  enum class Kind {
    kBalloonChange,
    kStop,
    kResume,
    kReset,
    kShutdown,
    kGuestAnswer,    // to a DIMM that came (QEMU has no other event for its arrival) or that is to go
    kDeviceDeleted,  // a device has gone: the base of all numbers may have moved
    kUnplugError,    // a device will not go
    kDeviceSize,     // virtio-mem took or gave memory
    kOther,
  };
  Kind kind = Kind::kOther;
  std::string name;
  GuestVisibleBytes actual;                // kBalloonChange only
  GuestAnswer answer;                      // kGuestAnswer only
  DeviceNews device;                       // kDeviceDeleted and kUnplugError only
  SizeChange size;                         // kDeviceSize only
  std::optional<int64_t> at_microseconds;  // QEMU's wall clock, since 1970; to compare events with each other

  friend bool operator==(const Event&, const Event&) = default;
};

using Message = std::variant<Greeting, Return, Error, Event>;

// Errors: INVALID_ARGUMENT that says what came and what would be right.
[[nodiscard]] absl::StatusOr<Message> ParseMessage(const boost::json::value& value);

// The error reply as a status: DeviceNotActive is FAILED_PRECONDITION, DeviceNotFound NOT_FOUND,
// CommandNotFound UNIMPLEMENTED, everything else UNKNOWN ("GenericError" says nothing more).
[[nodiscard]] absl::Status ToStatus(const Error& error);

// query-balloon: guest-visible bytes, 0..2^62.
[[nodiscard]] absl::StatusOr<GuestVisibleBytes> ParseBalloon(const boost::json::value& result);
// query-status: do the guest's CPUs run?
[[nodiscard]] absl::StatusOr<bool> ParseRunning(const boost::json::value& result);
// query-memory-size-summary: boot memory in bytes, 1..2^62.
[[nodiscard]] absl::StatusOr<int64_t> ParseBootMemory(const boost::json::value& result);
// The same answer: bytes in all memory devices, 0..2^62. That includes virtio-mem, which the balloon's number
// does not. 0 where QEMU does not say.
[[nodiscard]] absl::StatusOr<int64_t> ParsePluggedMemory(const boost::json::value& result);
// query-kvm: whether the processors are real ones.
[[nodiscard]] absl::StatusOr<bool> ParseKvmEnabled(const boost::json::value& result);
// qom-list of `parent`: the path of the virtio balloon in it, absent when there is none.
[[nodiscard]] absl::StatusOr<std::optional<std::string>> ParseBalloonPath(const boost::json::value& result,
                                                                          std::string_view parent);
// qom-get guest-stats. A statistic of 2^64-1 is one the guest does not give.
[[nodiscard]] absl::StatusOr<BalloonStatistics> ParseGuestStats(const boost::json::value& result);

}  // namespace ballast::vmm::qmp
