// Unplugs one DIMM: asks the guest to let it go, waits for its answer, removes the backend. A guest answers
// by an event, when it likes: before QEMU has answered the command, after the deadline, or never.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <string>

#include "host-bridge/vmm/qmp/device_task.h"

namespace ballast::vmm::qmp {

class UnplugTask final : public DeviceTask {
 public:
  UnplugTask(Tools tools, Done done, std::string device, Nanos deadline)
      : DeviceTask(std::move(tools), std::move(done)),
        device_(std::move(device)),
        deadline_(deadline),
        timer_(tools_.vm->io) {}

  void Start() override;
  void OnEvent(const Event& event) override;
  // Once the guest has been asked, the request outlives the connection: the next one shows what became of it.
  void OnDown(const absl::Status& why) override;
  void OnReady() override;

 private:
  // kLost: the connection was lost after the guest had been asked.
  enum class Stage { kChecking, kAsked, kRemoving, kLost };

  void AskGuest();
  void StartTimer();
  void OnAsked(const absl::Status& status);
  void OnDeadline();
  // The device has gone or not, as the last reading says.
  [[nodiscard]] bool HasGone() const { return Find(device_) == nullptr; }
  void RemoveBackend();
  void TellLastAnswer();
  void End(const absl::Status& status);

  const std::string device_;
  const Nanos deadline_;
  boost::asio::steady_timer timer_;
  Stage stage_ = Stage::kChecking;
  std::string backend_;
  bool working_ = false;  // the guest said that it has begun
};

}  // namespace ballast::vmm::qmp
