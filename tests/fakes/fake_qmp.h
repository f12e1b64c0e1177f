// A QEMU monitor without QEMU: a real Unix socket, the dialogue as recorded from QEMU 7.2 and 10.0, a balloon
// that moves at a chosen speed, and faults on demand. Tests only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/time.h"
#include "common/base/units.h"
#include "tests/fakes/fake_memory_devices.h"

namespace ballast::fakes {

struct FakeQmpOptions {
  std::string socket_path;
  int64_t boot_bytes = kGiB;
  bool has_balloon = true;
  bool emulated = false;         // no KVM
  int64_t virtio_mem_bytes = 0;  // plugged, and in no number of the balloon
  int64_t virtio_mem_most = 0;   // above 0: there is such a device, "vm0", with blocks of 2 MiB
  int slots = 0;                 // for DIMMs
  int64_t most_bytes = 0;        // -m maxmem=, where there are slots
  bool knows_memory = true;      // QEMU says the two (7.1 and newer)
  bool shared_memory = false;    // boot memory "ram0" is a shared memfd
  int64_t huge_page_bytes = 0;   // above 0: it is made of such pages
  bool numa = false;             // the machine names no backend of its own
  // How fast the guest's balloon follows; 0: it does not move at all; absent: at once.
  std::optional<int64_t> balloon_bytes_per_second;
  Nanos greeting_delay;
  Nanos event_interval = Seconds(1);  // QEMU throttles BALLOON_CHANGE to one a second
};

// What goes wrong when a command comes.
enum class Fault {
  kNone,
  kHang,         // no answer ever
  kClose,        // hangs up without an answer
  kGarbage,      // bytes that are not JSON
  kHalfMessage,  // the first half of the answer, then nothing
  kHugeMessage,  // 2 MiB of one message
  kWrongTypes,   // an answer with strings where numbers belong
  kIdlessError,  // the error QEMU gives when it could not read the command
  kErrorReply,   // GenericError
};

class FakeQmp {
 public:
  struct Received {
    std::string command;
    std::string arguments;         // as JSON text; "" when there were none
    std::optional<int64_t> value;  // the "value" in them, if it is an integer
    MonotonicTime at;              // CLOCK_MONOTONIC, just after the bytes came out of the socket
    uint64_t connection = 0;       // counts from 1
  };

  // Listens when it returns. A failure to do so aborts the process: it is a test's mistake.
  explicit FakeQmp(FakeQmpOptions options);
  ~FakeQmp();
  FakeQmp(const FakeQmp&) = delete;
  FakeQmp& operator=(const FakeQmp&) = delete;

  // All methods may be called from any thread.
  [[nodiscard]] const std::string& Path() const;

  // The next `times` commands named `command` go wrong ("" = any command); kNone heals.
  void SetFault(Fault fault, std::string command = "balloon", int times = 1);
  // Sends these bytes to the client as they are.
  void SendRaw(std::string bytes);
  void Disconnect();  // the client that is there
  void SetGreetingDelay(Nanos delay);

  void Stop();    // pause the guest: STOP event
  void Resume();  // RESUME event
  void Reset();   // two RESET events, as QEMU sends them for system_reset
  void Shutdown();
  // A DIMM more; `announce`: with the ACPI_DEVICE_OST event of a guest that accepts it.
  void AddDimm(int64_t bytes, bool announce);
  // Backends and DIMMs as somebody made them; see FakeMemoryDevices.
  void AddBackend(const std::string& id, const std::string& type);
  void AddDimm(const std::string& id, const std::string& backend, int64_t bytes);
  void SetUnplugAnswer(UnplugAnswer answer);
  void LetGo(const std::string& dimm);
  void SetVirtioMem(int64_t bytes);
  [[nodiscard]] std::vector<std::string> DeviceNames() const;
  // The same, unannounced, in the instant when the next balloon command has come but has not been carried
  // out.
  void AddDimmBeforeNextBalloon(int64_t bytes);
  // The balloon as somebody else set it: target and actual at once.
  void SetActual(BalloonBytes balloon);
  // The same, and the event of it, right after the next answer to `command`, before any other.
  void SetActualAfterNext(std::string command, BalloonBytes balloon);
  // The guest takes pages back by itself (deflate-on-OOM): actual changes, the target does not.
  void ShrinkBalloon(int64_t bytes);
  void SetSpeed(std::optional<int64_t> bytes_per_second);

  [[nodiscard]] BalloonBytes Actual() const;
  [[nodiscard]] BalloonBytes Target() const;
  [[nodiscard]] std::vector<Received> Log() const;
  // Connections that got a greeting, so far.
  [[nodiscard]] uint64_t Connections() const;

  // Wait until the `count`-th command of this name has come; absent when it does not within `limit`.
  [[nodiscard]] std::optional<Received> WaitForCommand(const std::string& command, size_t count = 1,
                                                       Nanos limit = Seconds(10)) const;
  [[nodiscard]] bool WaitForConnections(uint64_t count, Nanos limit = Seconds(10)) const;

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

}  // namespace ballast::fakes
