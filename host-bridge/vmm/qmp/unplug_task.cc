#include "host-bridge/vmm/qmp/unplug_task.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/base/text.h"

namespace ballast::vmm::qmp {

namespace json = boost::json;

void UnplugTask::Start() {
  Read([this] {
    const DeviceList::Entry* entry = Find(device_);
    if (entry == nullptr) return End(absl::NotFoundError(StrCat("the VM has no DIMM '", device_, "'")));
    if (entry->device.kind != DeviceKind::kDimm) {
      return End(absl::InvalidArgumentError(
          StrCat("'", device_, "' is a virtio-mem device: request another size instead")));
    }
    if (!entry->device.ours) {
      return End(absl::InvalidArgumentError(
          StrCat("DIMM '", device_, "' was not plugged by Ballast: expected ", kDimmPrefix, "NUMBER")));
    }
    backend_ = entry->backend;
    AskGuest();
  });
}

void UnplugTask::StartTimer() {
  timer_.expires_after(std::chrono::nanoseconds(std::max(deadline_, Nanos{0}).count));
  timer_.async_wait([self = weak_from_this(), this](const boost::system::error_code& error) {
    const auto task = self.lock();
    if (!error && task) OnDeadline();
  });
}

void UnplugTask::AskGuest() {
  stage_ = Stage::kAsked;
  StartTimer();
  Ask("device_del", {{"id", device_}},
      [this](const absl::StatusOr<json::value>& result) { OnAsked(result.status()); });
}

void UnplugTask::OnAsked(const absl::Status& status) {
  // The guest may have been quicker than this answer. A lost one is settled after the reconnect.
  if (status.ok() || stage_ != Stage::kAsked || IsLost(status)) return;
  if (!absl::IsNotFound(status)) return End(status);
  Read([this] {
    return HasGone() ? RemoveBackend() : End(absl::NotFoundError("QEMU does not find " + device_));
  });
}

void UnplugTask::OnEvent(const Event& event) {
  if (stage_ != Stage::kAsked) return;
  const auto refused = [this](const std::string& why) {
    End(absl::FailedPreconditionError(StrCat("the guest does not let '", device_, "' go: ", why)));
  };
  if (event.kind == Event::Kind::kDeviceDeleted && event.device.device == device_) return RemoveBackend();
  if (event.kind == Event::Kind::kUnplugError && event.device.device == device_) {
    return refused(event.device.message.empty() ? "no reason given" : event.device.message);
  }
  if (event.kind != Event::Kind::kGuestAnswer || event.answer.device != device_) return;
  const UnplugVerdict verdict = VerdictOf(event.answer);
  if (verdict == UnplugVerdict::kWorking) working_ = true;
  if (verdict == UnplugVerdict::kRefused) refused(TextOf(event.answer));
}

void UnplugTask::OnDeadline() {
  if (stage_ == Stage::kLost) {
    return End(absl::UnavailableError(StrCat("QEMU is not connected; '", device_, "' may have gone")));
  }
  if (stage_ != Stage::kAsked) return;
  Read([this] {
    if (stage_ != Stage::kAsked) return;
    if (HasGone()) return RemoveBackend();
    End(absl::DeadlineExceededError(
        StrCat("the guest ", working_ ? "is still busy with" : "did not answer for", " '", device_,
               "' after ", deadline_.count / 1'000'000, " ms; it may still go")));
  });
}

void UnplugTask::OnDown(const absl::Status& why) {
  if (stage_ == Stage::kChecking) return DeviceTask::OnDown(why);
  if (stage_ == Stage::kRemoving) StartTimer();  // for the reconnect
  stage_ = Stage::kLost;
}

void UnplugTask::OnReady() {
  if (stage_ != Stage::kLost) return;
  if (HasGone()) return RemoveBackend();
  TellLastAnswer();
}

// The guest answered while nobody listened, or not yet; its last answer may also be to an earlier request.
void UnplugTask::TellLastAnswer() {
  Ask("query-acpi-ospm-status", {}, [this](const absl::StatusOr<json::value>& result) {
    const auto answers = result.ok() ? ParseGuestAnswers(*result) : result.status();
    std::string last = "nothing is known of the guest's answer";
    for (const GuestAnswer& answer : answers.value_or(std::vector<GuestAnswer>())) {
      const bool about_leaving = answer.device == device_ && VerdictOf(answer) != UnplugVerdict::kNone;
      if (about_leaving) last = StrCat("the guest last said: ", TextOf(answer));
    }
    End(absl::UnavailableError(
        StrCat("the connection was lost meanwhile, and '", device_, "' is still there; ", last)));
  });
}

void UnplugTask::RemoveBackend() {
  stage_ = Stage::kRemoving;
  timer_.cancel();
  const auto& backends = *tools_.watch->facts().backends;
  const bool exists = std::any_of(backends.begin(), backends.end(),
                                  [this](const Backend& backend) { return backend.id == backend_; });
  if (!exists) return End(absl::OkStatus());
  Ask("object-del", {{"id", backend_}}, [this](const absl::StatusOr<json::value>& result) {
    // Refused: the DIMM has gone all the same, and the backend is among the orphans of the next reading.
    // Lost: settled after the reconnect.
    if (IsLost(result.status())) return;
    Read([this] { End(absl::OkStatus()); });
  });
}

void UnplugTask::End(const absl::Status& status) {
  timer_.cancel();
  Finish(status, device_);
}

}  // namespace ballast::vmm::qmp
