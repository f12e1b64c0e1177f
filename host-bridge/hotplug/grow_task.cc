#include "host-bridge/hotplug/grow_task.h"

#include <algorithm>
#include <utility>

#include "common/base/size_text.h"
#include "common/base/text.h"
#include "host-bridge/hotplug/growth.h"

namespace ballast::hotplug {
namespace {

// The agent brings a block online within milliseconds, one after the other.
constexpr Nanos kFirstPause = Milliseconds(20);
constexpr Nanos kLongestPause = Milliseconds(500);

observe::AddressRange RangeOf(const vmm::MemoryDevice& device) {
  return {device.address, std::max(device.size_bytes, device.most_bytes)};
}

}  // namespace

void GrowTask::Step(const Scene& scene) {
  while (!IsOver() && StepOnce(scene)) {
  }
}

bool GrowTask::Go(Phase phase, MonotonicTime now) {
  phase_ = phase;
  since_ = now;
  return true;
}

// False: something must come first.
bool GrowTask::StepOnce(const Scene& scene) {
  switch (phase_) {
    case Phase::kChoose:
      return Choose(scene);
    case Phase::kPlugging:
      return receipt_ && Plugged(scene);
    case Phase::kListing:
      return blocks_ && Listed(scene);
    case Phase::kProving:
      if (scene.now < NextLook()) return false;
      List();
      phase_ = Phase::kListing;
      return false;
    case Phase::kOnlining:
      if (!blocks_) return false;
      Remember(blocks_->refused);
      // An order that was not carried out is given again.
      told_ = blocks_->status.ok();
      LookAgain(told_ ? scene.now : scene.now + pause_);
      phase_ = Phase::kProving;
      return true;
    case Phase::kTakingBack:
      if (!receipt_) return false;
      // Whatever the VMM says to that: what is counted is what the guest uses.
      End(failure_, proved_);
      return false;
  }
  return false;
}

bool GrowTask::Choose(const Scene& scene) {
  if (!scene.devices) {
    if (scene.now - since_ > patience_.vmm)
      End(absl::UnavailableError("the VMM does not say which memory devices there are"), proved_);
    LookAgain(since_ + patience_.vmm);
    return false;
  }
  if (cancelled_) {
    End(absl::AbortedError("called off"), proved_);
    return false;
  }
  const vmm::DeviceReading& reading = scene.devices->value;
  const auto step = NextGrowth(reading, target_);
  if (!step) {
    const int64_t missing = target_ - RequestedBytes(reading);
    End(missing <= 0 ? absl::OkStatus()
                     : absl::ResourceExhaustedError(
                           StrCat("nothing more can be plugged; ", FormatSize(missing), " are missing")),
        proved_);
    return false;
  }
  device_ = step->device;
  const vmm::MemoryDevice* device = Find(reading, device_);
  before_bytes_ = seen_bytes_ = device != nullptr ? device->size_bytes : 0;
  told_ = false;
  pause_ = kFirstPause;
  device_.empty() ? Give(PlugDimm{step->bytes}) : Give(RequestSize{device_, step->bytes});
  return Go(Phase::kPlugging, scene.now);
}

bool GrowTask::Plugged(const Scene& scene) {
  if (!receipt_->status.ok()) {
    End(receipt_->status, proved_);
    return false;
  }
  if (device_.empty()) device_ = receipt_->device;
  LookAgain(scene.now);
  return Go(Phase::kProving, scene.now);
}

bool GrowTask::Listed(const Scene& scene) {
  phase_ = Phase::kProving;
  const vmm::MemoryDevice* device = scene.devices ? Find(scene.devices->value, device_) : nullptr;
  pause_ = std::min(pause_ * 2, kLongestPause);
  LookAgain(scene.now + pause_);
  if (blocks_->status.ok() && device != nullptr) {
    return Prove(scene, *device, CoverageOf(RangeOf(*device), blocks_->spans));
  }
  // Whoever is silent for too long: what was plugged stays, since nobody can say that it is not in use.
  if (scene.now - since_ <= patience_.agent) return false;
  const absl::Status why =
      blocks_->status.ok() ? absl::UnavailableError("the VMM does not show the device") : blocks_->status;
  End(WithContext("plugged, but not seen in use", why), proved_);
  return false;
}

bool GrowTask::Prove(const Scene& scene, const vmm::MemoryDevice& device, const Coverage& coverage) {
  // virtio-mem gives parts of blocks, which are online as a whole.
  const int64_t used = std::min(coverage.online_bytes, device.size_bytes);
  if (used > seen_bytes_) {
    proved_ += used - seen_bytes_;
    seen_bytes_ = used;
    since_ = scene.now;
  }
  if (used >= device.requested_bytes) return Go(Phase::kChoose, scene.now);
  const bool offline = coverage.offline_bytes > 0;
  if (offline && !told_ && scene.now - since_ > patience_.online) {
    told_ = true;
    Give(observe::BlockOrder{.action = observe::BlockAction::kOnline, .ranges = {RangeOf(device)}});
    phase_ = Phase::kOnlining;
    return false;
  }
  if (scene.now - since_ > patience_.arrival) return GiveUp(scene, device, coverage);
  return false;
}

bool GrowTask::GiveUp(const Scene& scene, const vmm::MemoryDevice& device, const Coverage& coverage) {
  const int64_t missing = device.requested_bytes - seen_bytes_;
  const char* why = coverage.present_bytes == 0  ? "the guest does not see it"
                    : coverage.offline_bytes > 0 ? "the guest does not bring it online"
                                                 : "the guest does not take it";
  failure_ = absl::FailedPreconditionError(StrCat(FormatSize(missing), " of ", device.id, ": ", why));
  if (device.kind == vmm::DeviceKind::kVirtioMem) {
    // What it has not taken it shall not take when nobody expects it any more.
    const int64_t kept = std::max(before_bytes_, seen_bytes_);
    Give(
        RequestSize{device.id, kept + (device.block_bytes - kept % device.block_bytes) % device.block_bytes});
  } else if (coverage.online_bytes == 0) {
    Give(UnplugDimm{device.id, patience_.detach});
  } else {
    End(failure_, proved_);
    return false;
  }
  return Go(Phase::kTakingBack, scene.now);
}

}  // namespace ballast::hotplug
