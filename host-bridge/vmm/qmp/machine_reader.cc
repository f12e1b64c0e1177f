#include "host-bridge/vmm/qmp/machine_reader.h"

#include <memory>
#include <utility>

#include "common/base/text.h"

namespace ballast::vmm::qmp {
namespace {

namespace json = boost::json;

struct Reading {
  MachineFacts facts;
  int outstanding = 4;
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
         const Parse& parse) {
  const absl::Status sent = client.Call(command, {}, timeout,
                                        [reading, parse, name = std::string(command)](
                                            const absl::StatusOr<json::value>& result, MonotonicTime) {
                                          absl::Status status =
                                              result.ok() ? parse(*result, reading->facts) : result.status();
                                          Finish(*reading, status.ok() ? status : WithContext(name, status));
                                        });
  if (!sent.ok()) Finish(*reading, WithContext(command, sent));
}

}  // namespace

void ReadMachine(Client& client, Nanos timeout,
                 std::function<void(const absl::StatusOr<MachineFacts>&)> done) {
  auto reading = std::make_shared<Reading>();
  reading->done = [done = std::move(done)](const absl::StatusOr<MachineFacts>& facts) {
    if (!absl::IsFailedPrecondition(facts.status())) return done(facts);
    done(absl::FailedPreconditionError(
        "no virtio-balloon device: start QEMU with -device virtio-balloon-pci"));
  };
  Ask(client, timeout, reading, "query-memory-size-summary", [](const json::value& v, MachineFacts& facts) {
    const auto boot = ParseBootMemory(v);
    if (!boot.ok()) return boot.status();
    const auto plugged = ParsePluggedMemory(v);
    if (!plugged.ok()) return plugged.status();
    facts.base_bytes += *boot;
    facts.other_bytes += *plugged;
    return absl::OkStatus();
  });
  Ask(client, timeout, reading, "query-memory-devices", [](const json::value& v, MachineFacts& facts) {
    const auto dimms = ParseDimmBytes(v);
    if (!dimms.ok()) return dimms.status();
    facts.base_bytes += *dimms;
    facts.other_bytes -= *dimms;
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

}  // namespace ballast::vmm::qmp
