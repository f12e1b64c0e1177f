// Carries targets to the balloon: one at a time, each converted with the memory the VM has at that moment,
// and again when that has changed meanwhile.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "host-bridge/vmm/qmp/machine_watch.h"
#include "host-bridge/vmm/qmp/vm_context.h"

namespace ballast::vmm::qmp {

// Use through std::make_shared.
class BalloonCommands : public std::enable_shared_from_this<BalloonCommands> {
 public:
  BalloonCommands(std::shared_ptr<VmContext> vm, std::shared_ptr<MachineWatch> watch)
      : vm_(std::move(vm)), watch_(std::move(watch)) {}

  void Set(uint64_t id, BalloonBytes target);
  // The connection is gone; all answers have come.
  void End();

  // `then` runs once no target is on its way, and none begins until Release: while a DIMM comes, QEMU's
  // number counts from one base before and from another after, and nobody knows which of them it was.
  // Forgotten when the connection ends.
  void Hold(std::function<void()> then);
  void Release();

 private:
  struct Command {
    uint64_t id = 0;
    BalloonBytes target;
    int64_t base_bytes = 0;  // what the target was converted with
    MonotonicTime started_at;
    MonotonicTime written_at;
    int repeats = 0;
    bool recorded = false;  // QEMU has taken it; what follows is only verification
    uint64_t serial = 0;    // tells a verification whether its command is still the one in flight
  };

  void Send();
  void OnAnswer(const absl::Status& status, MonotonicTime written_at);
  void Verify();
  void OnVerified(uint64_t serial, const absl::Status& read);
  void Finish(const absl::Status& status);
  void StartWaiting();
  void Give(const Command& command, const absl::Status& status);
  [[nodiscard]] Nanos TimeLeft() const;

  const std::shared_ptr<VmContext> vm_;
  const std::shared_ptr<MachineWatch> watch_;
  std::optional<Command> in_flight_;
  std::optional<Command> waiting_;
  uint64_t last_serial_ = 0;
  bool held_ = false;
  std::function<void()> when_idle_;  // empty: nobody waits for that
};

}  // namespace ballast::vmm::qmp
