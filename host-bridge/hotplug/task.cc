#include "host-bridge/hotplug/task.h"

#include <algorithm>

#include "host-bridge/hotplug/grow_task.h"
#include "host-bridge/hotplug/shrink_task.h"
#include "host-bridge/hotplug/task_base.h"

namespace ballast::hotplug {

Coverage CoverageOf(const observe::AddressRange& range, const std::vector<observe::BlockSpan>& spans) {
  Coverage coverage;
  for (const observe::BlockSpan& span : spans) {
    const int64_t begin = std::max(range.address, span.range.address);
    const int64_t end = std::min(range.address + range.bytes, span.range.address + span.range.bytes);
    if (begin >= end) continue;
    const int64_t bytes = end - begin;
    coverage.present_bytes += bytes;
    if (span.state == observe::BlockState::kOnline) coverage.online_bytes += bytes;
    if (span.state == observe::BlockState::kOnline && span.movable) coverage.movable_bytes += bytes;
    if (span.state == observe::BlockState::kOffline) coverage.offline_bytes += bytes;
  }
  return coverage;
}

const vmm::MemoryDevice* Find(const vmm::DeviceReading& reading, const std::string& id) {
  for (const vmm::MemoryDevice& device : reading.devices) {
    if (device.id == id) return &device;
  }
  return nullptr;
}

std::unique_ptr<Task> MakeTask(int64_t from_bytes, int64_t target_bytes, MonotonicTime now, uint64_t first_id,
                               const Patience& patience) {
  if (target_bytes >= from_bytes)
    return std::make_unique<GrowTask>(from_bytes, target_bytes, now, first_id, patience);
  return std::make_unique<ShrinkTask>(from_bytes, target_bytes, now, first_id, patience);
}

}  // namespace ballast::hotplug
