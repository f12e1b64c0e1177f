#include "host-bridge/vmm/qmp/device_task.h"

#include <utility>

#include "common/base/text.h"

namespace ballast::vmm::qmp {

namespace json = boost::json;

void DeviceTask::OnDown(const absl::Status& why) {
  Finish(absl::UnavailableError(StrCat("connection lost: ", MessageOf(why))), "");
}

void DeviceTask::Finish(const absl::Status& status, const std::string& device) {
  if (const Done done = std::exchange(done_, nullptr)) done(status, device);
}

void DeviceTask::Ask(std::string_view command, json::object arguments,
                     std::function<void(const absl::StatusOr<json::value>&)> then) {
  const absl::Status sent = tools_.vm->client->Call(
      command, std::move(arguments), tools_.vm->options.command_timeout,
      [self = weak_from_this(), then](const absl::StatusOr<json::value>& result, MonotonicTime) {
        const auto task = self.lock();
        if (task && task->done_) then(result);
      });
  if (!sent.ok()) then(sent);
}

void DeviceTask::Read(std::function<void()> then) {
  tools_.watch->ReadNow(Depth::kAndBackends, tools_.vm->options.command_timeout,
                        [self = weak_from_this(), then = std::move(then)](const absl::Status& read) {
                          const auto task = self.lock();
                          if (!task || !task->done_) return;
                          if (!read.ok()) return task->OnDown(read);
                          then();
                        });
}

const DeviceList::Entry* DeviceTask::Find(const std::string& device) const {
  for (const DeviceList::Entry& entry : tools_.watch->facts().devices.entries) {
    if (entry.device.id == device) return &entry;
  }
  return nullptr;
}

absl::Status AsExhausted(const absl::Status& status) {
  return absl::IsUnknown(status) ? absl::ResourceExhaustedError(MessageOf(status)) : status;
}

}  // namespace ballast::vmm::qmp
