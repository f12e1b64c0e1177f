#include "host-bridge/hotplug/shrink_task.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/base/size_text.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "host-bridge/hotplug/growth.h"
#include "host-bridge/hotplug/unplug_plan.h"

namespace ballast::hotplug {
namespace {

// Size changes of virtio-mem are told at most once a second.
constexpr Nanos kPause = Milliseconds(500);
// Before an agent that did not bring blocks back is asked again.
constexpr Nanos kAgain = Seconds(1);
// An agent keeps nothing offline for more than an hour.
constexpr Nanos kMostForSize = Seconds(1800);
// The agent stops at a stall of a millisecond, which any guest has now and then. One that stalls each time
// needs its memory.
constexpr int kMostWaits = 3;

// What is there of the memory that is ours, by the VMM's own count.
int64_t PluggedBytes(const vmm::DeviceReading& reading) {
  int64_t bytes = 0;
  for (const vmm::MemoryDevice& device : reading.devices) {
    if (device.ours) bytes += device.size_bytes;
  }
  return bytes;
}

// The agent gives up at the first block that stays, and tells of those that it did not try, too: they are the
// reason only where there is no such block.
std::vector<observe::BlockRefusal> ThoseThatStay(const std::vector<observe::BlockRefusal>& refused) {
  std::vector<observe::BlockRefusal> stay;
  std::copy_if(refused.begin(), refused.end(), std::back_inserter(stay),
               [](const observe::BlockRefusal& refusal) { return refusal.error != 0; });
  return stay.empty() ? refused : stay;
}

}  // namespace

int64_t CanLeave(const vmm::DeviceReading& reading, int64_t wanted_bytes) {
  int64_t rest = std::max<int64_t>(0, wanted_bytes);
  std::vector<Module> modules;
  for (const vmm::MemoryDevice& device : reading.devices) {
    if (device.kind == vmm::DeviceKind::kDimm) {
      if (device.ours) modules.push_back({device.id, device.size_bytes, true, device.address});
    } else if (device.block_bytes > 0) {
      const int64_t less = std::min(rest, device.requested_bytes);
      rest -= less - less % device.block_bytes;
    }
  }
  const auto plan = PlanUnplug(modules, rest);
  return std::max<int64_t>(0, wanted_bytes) - rest + (plan ? plan->chosen.bytes : 0);
}

void ShrinkTask::Step(const Scene& scene) {
  while (!IsOver() && StepOnce(scene)) {
  }
}

bool ShrinkTask::Go(Phase phase, MonotonicTime now) {
  phase_ = phase;
  since_ = now;
  return true;
}

void ShrinkTask::Fail(absl::Status why) {
  stuck_.insert(device_);
  if (failure_.ok()) failure_ = std::move(why);
}

bool ShrinkTask::StepOnce(const Scene& scene) {
  switch (phase_) {
    case Phase::kChoose:
      return Choose(scene);
    case Phase::kRequesting:
      return receipt_ && Requested(scene);
    case Phase::kLeaving:
      return Leave(scene);
    case Phase::kNudging:
      if (!receipt_) return false;
      Give(RequestSize{device_, goal_bytes_});
      phase_ = Phase::kRequesting;
      return false;
    case Phase::kSettling:
      return receipt_ && Go(Phase::kChoose, scene.now);
    case Phase::kListing:
      return blocks_ && PickDimm(scene);
    case Phase::kOfflining:
      if (cancelled_ && !blocks_) CallOffAwaited();
      return blocks_ && Offlined(scene);
    case Phase::kWaiting:
      if (cancelled_) return Go(Phase::kChoose, scene.now);
      if (scene.now < NextLook()) return false;
      TakeOffline();
      return Go(Phase::kOfflining, scene.now);
    case Phase::kDetaching:
      return receipt_ && Detached(scene);
    case Phase::kVerifying:
      return Verify(scene);
    case Phase::kBringingBack:
      return blocks_ && BroughtBack(scene);
  }
  return false;
}

bool ShrinkTask::Choose(const Scene& scene) {
  if (!scene.devices) {
    if (scene.now - since_ > patience_.vmm)
      End(absl::UnavailableError("the VMM does not say which memory devices there are"), from_);
    LookAgain(since_ + patience_.vmm);
    return false;
  }
  const vmm::DeviceReading& reading = scene.devices->value;
  const int64_t surplus = RequestedBytes(reading) - target_;
  if (surplus <= 0 || cancelled_) return Finish(scene);
  for (const vmm::MemoryDevice& device : reading.devices) {
    const bool can = device.kind == vmm::DeviceKind::kVirtioMem && device.block_bytes > 0;
    if (!can || device.requested_bytes < device.block_bytes || stuck_.contains(device.id)) continue;
    device_ = device.id;
    const int64_t less = std::min(surplus, device.requested_bytes);
    goal_bytes_ = device.requested_bytes - less / device.block_bytes * device.block_bytes;
    if (goal_bytes_ == device.requested_bytes) continue;  // less than one of its blocks
    seen_bytes_ = device.size_bytes;
    Give(RequestSize{device_, goal_bytes_});
    nudged_ = scene.now;
    return Go(Phase::kRequesting, scene.now);
  }
  List();
  return Go(Phase::kListing, scene.now);
}

// --- virtio-mem ---

bool ShrinkTask::Requested(const Scene& scene) {
  if (!receipt_->status.ok()) {
    Fail(receipt_->status);
    return Go(Phase::kChoose, scene.now);
  }
  phase_ = Phase::kLeaving;
  LookAgain(scene.now + kPause);
  return true;
}

bool ShrinkTask::Leave(const Scene& scene) {
  const vmm::MemoryDevice* device = scene.devices ? Find(scene.devices->value, device_) : nullptr;
  LookAgain(scene.now + kPause);
  if (device != nullptr) {
    if (device->size_bytes < seen_bytes_) since_ = nudged_ = scene.now;
    seen_bytes_ = std::min(seen_bytes_, device->size_bytes);
    if (seen_bytes_ <= goal_bytes_) return Go(Phase::kChoose, scene.now);
  }
  if (cancelled_ || scene.now - since_ > patience_.departure) return Settle(scene);
  if (device != nullptr && scene.now - nudged_ > patience_.nudge) {
    nudged_ = scene.now;
    Give(RequestSize{device_, goal_bytes_ + device->block_bytes});
    phase_ = Phase::kNudging;
  }
  return false;
}

// A request that stays below what the device has would be retried for ever, and some day take what the guest
// needs by then.
bool ShrinkTask::Settle(const Scene& scene) {
  const char* why = cancelled_ ? "called off" : "the guest cannot move what is in them";
  Fail(absl::FailedPreconditionError(
      StrCat(FormatSize(seen_bytes_ - goal_bytes_), " of ", device_, " stay: ", why)));
  Give(RequestSize{device_, seen_bytes_});
  return Go(Phase::kSettling, scene.now);
}

// --- DIMMs ---

bool ShrinkTask::PickDimm(const Scene& scene) {
  if (!scene.devices || cancelled_) return Go(Phase::kChoose, scene.now);
  if (!blocks_->status.ok()) {
    if (failure_.ok()) failure_ = WithContext("the agent cannot take memory offline", blocks_->status);
    return Finish(scene);
  }
  std::vector<Module> modules;
  for (const vmm::MemoryDevice& device : scene.devices->value.devices) {
    if (device.kind != vmm::DeviceKind::kDimm || !device.ours || stuck_.contains(device.id)) continue;
    const Coverage coverage = CoverageOf({device.address, device.size_bytes}, blocks_->spans);
    const bool can_leave = coverage.movable_bytes + coverage.offline_bytes >= coverage.present_bytes;
    modules.push_back({device.id, device.size_bytes, can_leave, device.address});
  }
  const auto plan = PlanUnplug(modules, RequestedBytes(scene.devices->value) - target_);
  if (!plan || plan->chosen.ids.empty()) return Finish(scene);
  const vmm::MemoryDevice& device = *Find(scene.devices->value, plan->chosen.ids.front());
  device_ = device.id;
  range_ = {device.address, device.size_bytes};
  waits_ = 0;
  TakeOffline();
  return Go(Phase::kOfflining, scene.now);
}

void ShrinkTask::TakeOffline() {
  const Nanos for_size =
      std::min(Nanos{range_.bytes / kMiB * (patience_.offline_gib.count / 1024)}, kMostForSize);
  Give(observe::BlockOrder{.action = observe::BlockAction::kOffline,
                           .ranges = {range_},
                           .all_or_nothing = true,
                           .put_back_after = patience_.put_back + for_size,
                           .deadline = patience_.offline + for_size});
}

bool ShrinkTask::Offlined(const Scene& scene) {
  // FAILED_PRECONDITION: it was pressed from the beginning.
  const bool pressed =
      (blocks_->pressed && !blocks_->refused.empty()) || absl::IsFailedPrecondition(blocks_->status);
  if (pressed && !cancelled_ && waits_ < kMostWaits) {
    ++waits_;
    LookAgain(scene.now + patience_.relief);
    return Go(Phase::kWaiting, scene.now);
  }
  const auto stay = ThoseThatStay(blocks_->refused);
  Remember(stay);
  if (!blocks_->status.ok()) {
    Fail(WithContext(StrCat("taking ", device_, " offline"), blocks_->status));
    // What the agent did before it failed nobody knows; only of what it refused to begin that is certain.
    const bool untouched =
        absl::IsFailedPrecondition(blocks_->status) || absl::IsInvalidArgument(blocks_->status);
    return !untouched ? BringBack(scene.now) : Go(Phase::kChoose, scene.now);
  }
  if (!stay.empty()) {
    Fail(absl::FailedPreconditionError(
        StrCat(device_, " stays: a block of it cannot go offline (", stay.front().reason, ")")));
    return Go(Phase::kChoose, scene.now);
  }
  if (cancelled_) return BringBack(scene.now);
  Give(UnplugDimm{device_, patience_.detach});
  return Go(Phase::kDetaching, scene.now);
}

bool ShrinkTask::Detached(const Scene& scene) {
  if (receipt_->status.ok() || absl::IsUnavailable(receipt_->status) ||
      absl::IsDeadlineExceeded(receipt_->status)) {
    return Go(Phase::kVerifying, scene.now);
  }
  Fail(WithContext(StrCat(device_, " stays"), receipt_->status));
  return BringBack(scene.now);
}

// What counts is that the device is gone, whatever was answered. A reading comes when something changes, so
// that it is still there only time can tell.
bool ShrinkTask::Verify(const Scene& scene) {
  if (scene.devices && Find(scene.devices->value, device_) == nullptr) {
    Give(RemoveOrphans{});
    return Go(Phase::kSettling, scene.now);
  }
  const MonotonicTime until = since_ + (scene.devices ? patience_.detach : patience_.vmm);
  LookAgain(until);
  if (scene.now <= until) return false;
  Fail(scene.devices
           ? absl::FailedPreconditionError(StrCat(device_, " stays: it did not go within the deadline"))
           : absl::UnavailableError("the VMM does not say whether the DIMM is gone"));
  return BringBack(scene.now);
}

bool ShrinkTask::BringBack(MonotonicTime now) {
  Give(observe::BlockOrder{.action = observe::BlockAction::kOnline, .ranges = {range_}});
  ask_again_.reset();
  return Go(Phase::kBringingBack, now);
}

// An agent that is gone brings blocks back when it starts again; until then it is asked.
bool ShrinkTask::BroughtBack(const Scene& scene) {
  if (blocks_->status.ok()) {
    Remember(blocks_->refused);
    return Go(Phase::kChoose, scene.now);
  }
  if (scene.now - since_ > patience_.agent) return Finish(scene);
  if (!ask_again_) {
    ask_again_ = scene.now + kAgain;
    LookAgain(*ask_again_);
  }
  if (scene.now < *ask_again_) return false;
  ask_again_.reset();
  Give(observe::BlockOrder{.action = observe::BlockAction::kOnline, .ranges = {range_}});
  return false;
}

bool ShrinkTask::Finish(const Scene& scene) {
  const int64_t plugged = scene.devices ? PluggedBytes(scene.devices->value) : from_;
  absl::Status status = plugged <= target_ ? absl::OkStatus() : failure_;
  if (cancelled_ && plugged > target_) status = absl::AbortedError("called off: the guest needs its memory");
  if (status.ok() && plugged > target_) {
    status = absl::FailedPreconditionError(StrCat("no set of DIMMs makes up ", FormatSize(plugged - target_),
                                                  "; ", FormatSize(plugged), " stay plugged"));
  }
  End(std::move(status), plugged);
  return false;
}

}  // namespace ballast::hotplug
