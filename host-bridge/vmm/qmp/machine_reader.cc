#include "host-bridge/vmm/qmp/machine_reader.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "common/base/text.h"

namespace ballast::vmm::qmp {
namespace {

namespace json = boost::json;

struct Reading {
  MachineFacts facts;
  int outstanding = 4;  // queries
  absl::Status error;
  std::function<void(const absl::StatusOr<MachineFacts>&)> done;
};

void Finish(Reading& reading, const absl::Status& status) {
  if (reading.error.ok()) reading.error = status;
  if (--reading.outstanding > 0) return;
  if (reading.error.ok()) {
    reading.done(reading.facts);
  } else {
    reading.done(reading.error);
  }
}

using Parse = std::function<absl::Status(const json::value& result, MachineFacts& facts)>;

void Ask(Client& client, Nanos timeout, const std::shared_ptr<Reading>& reading, std::string_view command,
         const Parse& parse, json::object arguments = {}) {
  const absl::Status sent = client.Call(command, std::move(arguments), timeout,
                                        [reading, parse, name = std::string(command)](
                                            const absl::StatusOr<json::value>& result, MonotonicTime) {
                                          absl::Status status =
                                              result.ok() ? parse(*result, reading->facts) : result.status();
                                          Finish(*reading, status.ok() ? status : WithContext(name, status));
                                        });
  if (!sent.ok()) Finish(*reading, WithContext(command, sent));
}

// Before the devices, so that a device that comes between the two answers is not missed by its backend: a
// backend without a device is one that nothing uses.
void AskBackends(Client& client, Nanos timeout, const std::shared_ptr<Reading>& reading) {
  const auto parse = [](const json::value& v, MachineFacts& facts) {
    auto backends = ParseBackends(v);
    if (backends.ok()) facts.backends = *std::move(backends);
    return backends.status();
  };
  Ask(client, timeout, reading, "qom-list", parse, {{"path", "/objects"}});
}

}  // namespace

void ReadMachine(Client& client, Depth depth, Nanos timeout,
                 std::function<void(const absl::StatusOr<MachineFacts>&)> done) {
  auto reading = std::make_shared<Reading>();
  if (depth == Depth::kAndBackends) ++reading->outstanding;
  reading->done = [done = std::move(done)](const absl::StatusOr<MachineFacts>& facts) {
    if (!absl::IsFailedPrecondition(facts.status())) return done(facts);
    done(absl::FailedPreconditionError(
        "no virtio-balloon device: start QEMU with -device virtio-balloon-pci"));
  };
  if (depth == Depth::kAndBackends) AskBackends(client, timeout, reading);
  Ask(client, timeout, reading, "query-memory-size-summary", [](const json::value& v, MachineFacts& facts) {
    const auto boot = ParseBootMemory(v);
    if (!boot.ok()) return boot.status();
    const auto plugged = ParsePluggedMemory(v);
    if (!plugged.ok()) return plugged.status();
    facts.boot_bytes = *boot;
    facts.base_bytes += *boot;
    facts.other_bytes += *plugged;
    return absl::OkStatus();
  });
  Ask(client, timeout, reading, "query-memory-devices", [](const json::value& v, MachineFacts& facts) {
    auto devices = ParseMemoryDevices(v);
    if (!devices.ok()) return devices.status();
    facts.devices = *std::move(devices);
    facts.base_bytes += facts.devices.dimm_bytes;
    facts.other_bytes -= facts.devices.dimm_bytes;
    return absl::OkStatus();
  });
  Ask(client, timeout, reading, "query-balloon", [](const json::value& v, MachineFacts& facts) {
    const auto actual = ParseBalloon(v);
    if (actual.ok()) facts.actual = *actual;
    return actual.status();
  });
  // Last, so that a STOP that comes between the answers is not overwritten by an older one.
  Ask(client, timeout, reading, "query-status", [](const json::value& v, MachineFacts& facts) {
    const auto running = ParseRunning(v);
    if (running.ok()) facts.running = *running;
    return running.status();
  });
}

DeviceReading DevicesOf(const MachineFacts& facts, const std::optional<MemoryLimits>& limits) {
  DeviceReading reading;
  reading.boot_bytes = facts.boot_bytes;
  for (const DeviceList::Entry& entry : facts.devices.entries) reading.devices.push_back(entry.device);
  if (limits && limits->slots > 0 && limits->most_bytes > facts.boot_bytes) {
    reading.can_plug_dimms = true;
    reading.free_slots = std::max<int64_t>(0, limits->slots - facts.devices.taken_slots);
    reading.free_bytes =
        std::max<int64_t>(0, limits->most_bytes - facts.boot_bytes - facts.devices.taken_bytes);
  }
  if (!facts.backends) return reading;
  const std::vector<std::string>& used = facts.devices.backends;
  for (const Backend& backend : *facts.backends) {
    if (!backend.id.starts_with(kBackendPrefix)) continue;
    if (std::find(used.begin(), used.end(), backend.id) == used.end()) reading.orphans.push_back(backend.id);
  }
  return reading;
}

}  // namespace ballast::vmm::qmp
