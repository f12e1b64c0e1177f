#include "host-bridge/vmm/qmp/qmp_parser.h"

#include <boost/json.hpp>
#include <limits>

#include "common/base/text.h"
#include "host-bridge/vmm/qmp/json_parser.h"

namespace ballast::vmm::qmp {
namespace {

namespace json = boost::json;

// What QEMU says for a statistic that the guest has not given.
constexpr uint64_t kUnknownStatistic = std::numeric_limits<uint64_t>::max();
absl::StatusOr<Message> ParseGreeting(const json::value& value) {
  constexpr Range kVersion{0, 1'000'000};
  const auto version = Member(value, "greeting", "version");
  if (!version.ok()) return version.status();
  const auto qemu = Member(**version, "greeting version", "qemu");
  if (!qemu.ok()) return qemu.status();
  const auto major = IntegerMember(**qemu, "greeting version", "major", kVersion);
  if (!major.ok()) return major.status();
  const auto minor = IntegerMember(**qemu, "greeting version", "minor", kVersion);
  if (!minor.ok()) return minor.status();
  const auto micro = IntegerMember(**qemu, "greeting version", "micro", kVersion);
  if (!micro.ok()) return micro.status();
  Greeting greeting{*major, *minor, *micro, ""};
  if (auto package = TextMember(**version, "greeting version", "package"); package.ok()) {
    greeting.package = *std::move(package);
  }
  return greeting;
}

// Ids are ours: whole numbers. Another one is as good as none.
std::optional<uint64_t> IdOf(const json::object& message) {
  const json::value* id = message.if_contains("id");
  if (id == nullptr) return std::nullopt;
  if (id->is_uint64()) return id->get_uint64();
  if (id->is_int64() && id->get_int64() >= 0) return static_cast<uint64_t>(id->get_int64());
  return std::nullopt;
}

absl::StatusOr<Message> ParseError(const json::object& message, const json::value& error) {
  auto error_class = TextMember(error, "error", "class");
  if (!error_class.ok()) return error_class.status();
  auto description = TextMember(error, "error", "desc");
  if (!description.ok()) return description.status();
  return Error{IdOf(message), *std::move(error_class), *std::move(description)};
}

Event::Kind KindOf(std::string_view name) {
  if (name == "BALLOON_CHANGE") return Event::Kind::kBalloonChange;
  if (name == "STOP") return Event::Kind::kStop;
  if (name == "RESUME") return Event::Kind::kResume;
  if (name == "RESET") return Event::Kind::kReset;
  if (name == "SHUTDOWN") return Event::Kind::kShutdown;
  if (name == "ACPI_DEVICE_OST") return Event::Kind::kGuestAnswer;
  if (name == "DEVICE_DELETED") return Event::Kind::kDeviceDeleted;
  // QEMU 6.2 renamed it and sends both since; a DIMM refused by an x86 guest gives neither.
  if (name == "MEM_UNPLUG_ERROR" || name == "DEVICE_UNPLUG_GUEST_ERROR") return Event::Kind::kUnplugError;
  if (name == "MEMORY_DEVICE_SIZE_CHANGE") return Event::Kind::kDeviceSize;
  return Event::Kind::kOther;
}

std::optional<int64_t> TimeOf(const json::object& message) {
  const json::value* timestamp = message.if_contains("timestamp");
  if (timestamp == nullptr) return std::nullopt;
  // QEMU says -1 for both when it could not read its clock.
  const auto seconds = IntegerMember(*timestamp, "timestamp", "seconds", {0, int64_t{1} << 40});
  const auto micros = IntegerMember(*timestamp, "timestamp", "microseconds", {0, 999'999});
  if (!seconds.ok() || !micros.ok()) return std::nullopt;
  return *seconds * 1'000'000 + *micros;
}

// What the events carry that Ballast acts on.
absl::Status ReadData(const json::value& data, Event& event) {
  const auto keep = [](auto parsed, auto& into) {
    if (parsed.ok()) into = *std::move(parsed);
    return parsed.status();
  };
  switch (event.kind) {
    case Event::Kind::kBalloonChange:
      return keep(IntegerMember(data, "BALLOON_CHANGE", "actual", {0, kMaxBytes}), event.actual.count);
    case Event::Kind::kGuestAnswer:
      return keep(ParseGuestAnswer(data), event.answer);
    case Event::Kind::kDeviceDeleted:
    case Event::Kind::kUnplugError:
      return keep(ParseDeviceNews(data), event.device);
    case Event::Kind::kDeviceSize:
      return keep(ParseSizeChange(data), event.size);
    default:
      return absl::OkStatus();
  }
}

absl::StatusOr<Message> ParseEvent(const json::object& message, const json::value& name) {
  const json::string* text = name.if_string();
  if (text == nullptr) return Wrong("event", "a string", name);
  Event event;
  event.name.assign(text->data(), text->size());
  event.kind = KindOf(event.name);
  event.at_microseconds = TimeOf(message);
  const json::value* data = message.if_contains("data");
  if (const auto read = ReadData(data != nullptr ? *data : json::value(), event); !read.ok()) return read;
  return event;
}

// Absent: not there, or the guest does not give it.
absl::Status ReadStatistic(const json::object& stats, std::string_view name, std::optional<int64_t>& into) {
  const json::value* value = stats.if_contains(name);
  if (value == nullptr) return absl::OkStatus();
  if (value->is_uint64() && value->get_uint64() == kUnknownStatistic) return absl::OkStatus();
  const auto number = Integer(*value, StrCat("guest-stats ", name), {0, kMaxBytes});
  if (!number.ok()) return number.status();
  into = *number;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Message> ParseMessage(const json::value& value) {
  const json::object* message = value.if_object();
  if (message == nullptr) return Wrong("message", "an object", value);
  if (const json::value* error = message->if_contains("error")) return ParseError(*message, *error);
  if (const json::value* result = message->if_contains("return")) {
    const auto id = IdOf(*message);
    if (!id) return Wrong("return", "the id of a command, a whole number", value);
    return Return{*id, *result};
  }
  if (const json::value* event = message->if_contains("event")) return ParseEvent(*message, *event);
  if (const json::value* greeting = message->if_contains("QMP")) return ParseGreeting(*greeting);
  return Wrong("message", "one of 'QMP', 'return', 'error', 'event'", value);
}

absl::Status ToStatus(const Error& error) {
  const std::string text = StrCat("QEMU answered ", error.error_class, ": ", error.description);
  if (error.error_class == "DeviceNotActive") return absl::FailedPreconditionError(text);
  if (error.error_class == "DeviceNotFound") return absl::NotFoundError(text);
  if (error.error_class == "CommandNotFound") return absl::UnimplementedError(text);
  return absl::UnknownError(text);
}

absl::StatusOr<GuestVisibleBytes> ParseBalloon(const json::value& result) {
  const auto actual = IntegerMember(result, "query-balloon", "actual", {0, kMaxBytes});
  if (!actual.ok()) return actual.status();
  return GuestVisibleBytes{*actual};
}

absl::StatusOr<bool> ParseRunning(const json::value& result) {
  const auto running = Member(result, "query-status", "running");
  if (!running.ok()) return running.status();
  return Truth(**running, "query-status running");
}

absl::StatusOr<int64_t> ParseBootMemory(const json::value& result) {
  return IntegerMember(result, "query-memory-size-summary", "base-memory", {1, kMaxBytes});
}

absl::StatusOr<int64_t> ParsePluggedMemory(const json::value& result) {
  constexpr std::string_view kWhat = "query-memory-size-summary";
  if (!result.is_object() || !result.get_object().contains("plugged-memory")) return 0;
  return IntegerMember(result, kWhat, "plugged-memory", {0, kMaxBytes});
}

absl::StatusOr<bool> ParseKvmEnabled(const json::value& result) {
  const auto enabled = Member(result, "query-kvm", "enabled");
  if (!enabled.ok()) return enabled.status();
  return Truth(**enabled, "query-kvm enabled");
}

absl::StatusOr<std::optional<std::string>> ParseBalloonPath(const json::value& result,
                                                            std::string_view parent) {
  constexpr std::string_view kWhat = "qom-list";
  const auto list = List(result, kWhat);
  if (!list.ok()) return list.status();
  for (const json::value& entry : **list) {
    const auto type = TextMember(entry, kWhat, "type");
    if (!type.ok()) return type.status();
    // child<virtio-balloon-pci>, -ccw, -device, and -pci-transitional and its like.
    if (type->rfind("child<virtio-balloon", 0) != 0) continue;
    const auto name = TextMember(entry, kWhat, "name");
    if (!name.ok()) return name.status();
    return StrCat(parent, "/", *name);
  }
  return std::nullopt;
}

absl::StatusOr<BalloonStatistics> ParseGuestStats(const json::value& result) {
  constexpr std::string_view kWhat = "guest-stats";
  const auto member = Member(result, kWhat, "stats");
  if (!member.ok()) return member.status();
  const json::object* stats = (*member)->if_object();
  if (stats == nullptr) return Wrong("guest-stats stats", "an object", **member);
  const auto last_update = IntegerMember(result, kWhat, "last-update", {0, int64_t{1} << 40});
  if (!last_update.ok()) return last_update.status();
  BalloonStatistics parsed;
  if (*last_update > 0) parsed.updated_unix_seconds = *last_update;
  struct Field {
    std::string_view name;
    std::optional<int64_t>& into;
  };
  const Field fields[] = {
      {"stat-total-memory", parsed.total_bytes},
      {"stat-free-memory", parsed.free_bytes},
      {"stat-available-memory", parsed.available_bytes},
      {"stat-disk-caches", parsed.cache_bytes},
      {"stat-swap-in", parsed.swap_in_bytes},
      {"stat-swap-out", parsed.swap_out_bytes},
      {"stat-major-faults", parsed.major_faults},
      {"stat-oom-kills", parsed.oom_kills},
  };
  for (const Field& field : fields) {
    if (auto status = ReadStatistic(*stats, field.name, field.into); !status.ok()) return status;
  }
  return parsed;
}

}  // namespace ballast::vmm::qmp
