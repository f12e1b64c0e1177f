#include "tests/fakes/fake_qmp_machine.h"

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <utility>

#include "common/base/text.h"
#include "tests/fakes/fake_qmp.h"

namespace ballast::fakes {
namespace {

namespace json = boost::json;

// How often a moving balloon is looked at for its next event.
constexpr Nanos kTick = Milliseconds(5);

}  // namespace

FakeMachine::FakeMachine(const FakeQmpOptions& options, MonotonicTime now)
    : boot_bytes_(options.boot_bytes),
      has_balloon_(options.has_balloon),
      emulated_(options.emulated),
      devices_(options),
      speed_(options.balloon_bytes_per_second),
      event_interval_(options.event_interval),
      settled_at_(now) {}

int64_t FakeMachine::Base() const { return boot_bytes_ + devices_.DimmBytes(); }

BalloonBytes FakeMachine::Actual(MonotonicTime now) const {
  if (!speed_) return target_;
  // Milliseconds keep the product within 64 bits.
  const int64_t way = *speed_ / 1000 * ((now - settled_at_).count / 1'000'000);
  const int64_t gap = target_.count - settled_.count;
  const int64_t moved = std::clamp(gap, -way, way);
  // Whole pages.
  return {settled_.count + (moved == gap ? gap : moved / 4096 * 4096)};
}

void FakeMachine::Settle(MonotonicTime now) {
  settled_ = Actual(now);
  settled_at_ = now;
}

void FakeMachine::SetSpeed(std::optional<int64_t> bytes_per_second, MonotonicTime now) {
  Settle(now);
  speed_ = bytes_per_second;
}

void FakeMachine::SetActual(BalloonBytes balloon, MonotonicTime now) {
  Settle(now);
  settled_ = balloon;
  target_ = balloon;
}

void FakeMachine::ShrinkBalloon(int64_t bytes, MonotonicTime now) {
  Settle(now);
  settled_.count = std::max<int64_t>(settled_.count - bytes, 0);
  // A real driver would go back to the target; it is kept where it is so that the test can see it.
  speed_ = 0;
}

std::string FakeMachine::Refusal(std::string_view error_class, std::string_view description) {
  return StrCat("\"error\": {\"class\": \"", error_class, "\", \"desc\": \"", description, "\"}");
}

std::string FakeMachine::SetBalloon(const json::value& arguments, MonotonicTime now) {
  const json::value* value = arguments.get_object().if_contains("value");
  if (value == nullptr || !value->is_int64()) {
    return Refusal("GenericError", "Invalid parameter type for 'value', expected: integer");
  }
  if (value->get_int64() <= 0) return Refusal("GenericError", "Parameter 'value' expects a size");
  if (surprise_dimm_ > 0) AddDimm(std::exchange(surprise_dimm_, 0), false);
  Settle(now);
  target_ = ToBalloon(GuestVisibleBytes{std::min(value->get_int64(), Base())}, Base());
  return "\"return\": {}";
}

std::string FakeMachine::Execute(const std::string& command, const json::value& arguments,
                                 MonotonicTime now) {
  if (command == "query-status") {
    return StrCat(R"("return": {"status": ")", running_ ? "running" : "paused",
                  R"(", "singlestep": false, "running": )", running_ ? "true" : "false", "}");
  }
  if (command == "query-memory-size-summary") {
    return StrCat(R"("return": {"base-memory": )", boot_bytes_, R"(, "plugged-memory": )",
                  Base() - boot_bytes_ + devices_.VirtioMemBytes(), "}");
  }
  if (command == "query-kvm") {
    return StrCat(R"("return": {"enabled": )", emulated_ ? "false" : "true", R"(, "present": true})");
  }
  if (auto answer = devices_.Execute(command, arguments.get_object())) return *answer;
  if (command == "qom-list") {
    const bool anon = json::serialize(arguments).find("anon") != std::string::npos;
    if (anon || !has_balloon_) return R"("return": [{"name": "type", "type": "string"}])";
    return R"("return": [{"name": "type", "type": "string"}, {"name": "balloon0", "type": "child<virtio-balloon-pci>"}])";
  }
  if (command == "qmp_capabilities" || command == "qom-set") return "\"return\": {}";
  if (command == "qom-get") {
    return StrCat(R"("return": {"stats": {"stat-total-memory": )", Base(),
                  R"(, "stat-available-memory": 395165696, )",
                  R"("stat-oom-kills": 18446744073709551615}, "last-update": 1795206173})");
  }
  if (command == "query-balloon" || command == "balloon") {
    if (!has_balloon_) return Refusal("DeviceNotActive", "No balloon device has been activated");
    if (command == "balloon") return SetBalloon(arguments, now);
    return StrCat(R"("return": {"actual": )", ToGuestVisible(Actual(now), Base()).count, "}");
  }
  return Refusal("CommandNotFound", StrCat("The command ", command, " has not been found"));
}

void FakeMachine::Announce(std::string_view name, std::string_view data) {
  const int64_t micros = std::chrono::duration_cast<std::chrono::microseconds>(
                             std::chrono::system_clock::now().time_since_epoch())
                             .count();
  events_ +=
      StrCat("{\"timestamp\": {\"seconds\": ", micros / 1'000'000, ", \"microseconds\": ", micros % 1'000'000,
             "}, \"event\": \"", name, "\"", data.empty() ? "" : ", \"data\": ", data, "}\r\n");
}

void FakeMachine::SetRunning(bool running) {
  running_ = running;
  Announce(running ? "RESUME" : "STOP", "");
}

void FakeMachine::Reset() {
  devices_.Reset();
  Announce("RESET", R"({"guest": false, "reason": "host-qmp-system-reset"})");
  Announce("RESET", R"({"guest": true, "reason": "guest-reset"})");
}

void FakeMachine::Shutdown() { Announce("SHUTDOWN", R"({"guest": true, "reason": "guest-shutdown"})"); }

void FakeMachine::AddDimm(int64_t bytes, bool announce) {
  devices_.AddDimm("dimm1", "mem1", bytes);
  if (!announce) return;
  Announce("ACPI_DEVICE_OST",
           R"({"info": {"device": "dimm1", "source": 1, "status": 0, "slot": "0", "slot-type": "DIMM"}})");
}

std::optional<MonotonicTime> FakeMachine::NextEventDue(MonotonicTime now) const {
  const bool moving = has_balloon_ && (Actual(now) != announced_ || (Actual(now) != target_ && speed_ != 0));
  if (!moving) return std::nullopt;
  const MonotonicTime soon = now + kTick;
  return announced_at_ ? std::max(soon, *announced_at_ + event_interval_) : soon;
}

std::string FakeMachine::TakeEvents(MonotonicTime now) {
  for (const auto& event : devices_.TakeEvents()) Announce(event.name, event.data);
  const BalloonBytes actual = Actual(now);
  const bool allowed = !announced_at_ || now >= *announced_at_ + event_interval_;
  if (actual != announced_ && allowed) {
    announced_ = actual;
    announced_at_ = now;
    Announce("BALLOON_CHANGE", StrCat("{\"actual\": ", ToGuestVisible(actual, Base()).count, "}"));
  }
  return std::exchange(events_, "");
}

}  // namespace ballast::fakes
