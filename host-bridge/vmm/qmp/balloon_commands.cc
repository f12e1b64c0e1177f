#include "host-bridge/vmm/qmp/balloon_commands.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"

namespace ballast::vmm::qmp {
namespace {

// How often a target is converted anew because DIMMs come and go meanwhile.
constexpr int kMaxConversions = 3;

}  // namespace

void BalloonCommands::Set(uint64_t id, BalloonBytes target) {
  Command command;
  command.id = id;
  command.target = target;
  command.started_at = vm_->clock.Now();
  if (const absl::Status why = watch_->WhyNotReady(); !why.ok()) return Give(command, why);
  if (waiting_) Give(*waiting_, absl::AbortedError("replaced by a newer target"));
  waiting_ = command;
  if (!in_flight_) return StartWaiting();
  // Verification of the old target must not hold up the new one.
  if (in_flight_->recorded) Finish(absl::OkStatus());
}

void BalloonCommands::StartWaiting() {
  if (held_ || !waiting_) return;
  in_flight_ = std::exchange(waiting_, std::nullopt);
  // Its time begins now: the wait before was another's.
  in_flight_->started_at = vm_->clock.Now();
  Send();
}

void BalloonCommands::Hold(std::function<void()> then) {
  if (in_flight_) {
    when_idle_ = std::move(then);
    return;
  }
  held_ = true;
  then();
}

void BalloonCommands::Release() {
  held_ = false;
  StartWaiting();
}

Nanos BalloonCommands::TimeLeft() const {
  // At least a millisecond, so that a deadline that has passed fails as one and not as nonsense.
  return std::max(vm_->options.command_timeout - (vm_->clock.Now() - in_flight_->started_at),
                  Milliseconds(1));
}

void BalloonCommands::Send() {
  Command& command = *in_flight_;
  command.base_bytes = watch_->facts().base_bytes;
  command.recorded = false;
  command.serial = ++last_serial_;
  // QEMU refuses to leave the guest 0 bytes.
  if (command.target.count < 0 || command.target.count >= command.base_bytes) {
    return Finish(absl::InvalidArgumentError(StrCat("balloon target ", command.target.count,
                                                    " is out of range, allowed 0..", command.base_bytes - 1,
                                                    " bytes")));
  }
  const GuestVisibleBytes visible = ToGuestVisible(command.target, command.base_bytes);
  const absl::Status sent = vm_->client->Call(
      "balloon", {{"value", visible.count}}, TimeLeft(),
      [self = weak_from_this()](const absl::StatusOr<boost::json::value>& result, MonotonicTime written_at) {
        if (const auto commands = self.lock()) commands->OnAnswer(result.status(), written_at);
      });
  if (!sent.ok()) Finish(sent);
}

void BalloonCommands::OnAnswer(const absl::Status& status, MonotonicTime written_at) {
  if (in_flight_->written_at == MonotonicTime{}) in_flight_->written_at = written_at;
  if (!status.ok()) return Finish(status);
  in_flight_->recorded = true;
  // A target that waits makes this one's correctness moot; it will be verified in its place.
  if (waiting_) return Finish(status);
  Verify();
}

// QEMU's number counts from the boot memory and DIMMs of the moment. To read them first would put a round
// trip before every write; so they are read after it, and the number is written again if they have changed.
void BalloonCommands::Verify() {
  watch_->ReadNow(Depth::kNumbers, TimeLeft(),
                  [self = weak_from_this(), serial = in_flight_->serial](const absl::Status& read) {
                    if (const auto commands = self.lock()) commands->OnVerified(serial, read);
                  });
}

void BalloonCommands::OnVerified(uint64_t serial, const absl::Status& read) {
  // The reading of an earlier command is as good as any, but it says nothing of the present one.
  if (!in_flight_ || in_flight_->serial != serial) return;
  if (!read.ok()) return Finish(read);
  if (watch_->facts().base_bytes == in_flight_->base_bytes) return Finish(absl::OkStatus());
  if (++in_flight_->repeats > kMaxConversions) {
    return Finish(absl::AbortedError("the VM's memory devices keep changing"));
  }
  Send();
}

void BalloonCommands::Finish(const absl::Status& status) {
  const Command command = *std::exchange(in_flight_, std::nullopt);
  Give(command, status);
  if (!watch_->IsReady()) return;
  watch_->FollowUp();
  if (auto then = std::exchange(when_idle_, nullptr)) {
    held_ = true;
    return then();
  }
  StartWaiting();
}

void BalloonCommands::End() {
  held_ = false;
  when_idle_ = nullptr;
  if (!waiting_) return;
  const Command command = *std::exchange(waiting_, std::nullopt);
  Give(command, watch_->WhyNotReady());
}

void BalloonCommands::Give(const Command& command, const absl::Status& status) {
  Receipt receipt;
  receipt.id = command.id;
  receipt.target = command.target;
  receipt.status = status;
  receipt.written_at = command.written_at;
  receipt.done_at = vm_->clock.Now();
  vm_->gate.Call(&ActuatorObserver::OnReceipt, receipt);
}

}  // namespace ballast::vmm::qmp
