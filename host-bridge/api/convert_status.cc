#include "host-bridge/api/convert_status.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "common/base/size_text.h"
#include "common/base/text.h"
#include "common/base/units.h"

namespace ballast::api {
namespace {

namespace wire = ballast::bridge::v1;

constexpr size_t kMostRefused = 64;

wire::GuestState StateOf(policy::GuestState state) {
  switch (state) {
    case policy::GuestState::kSilent:
      return wire::GUEST_STATE_SILENT;
    case policy::GuestState::kIdle:
      return wire::GUEST_STATE_IDLE;
    case policy::GuestState::kComfortable:
      return wire::GUEST_STATE_COMFORTABLE;
    case policy::GuestState::kPressed:
      return wire::GUEST_STATE_PRESSED;
    case policy::GuestState::kCritical:
      return wire::GUEST_STATE_CRITICAL;
  }
  return wire::GUEST_STATE_UNSPECIFIED;
}

// Guests in mode off are not shown at all.
wire::Mode ModeOf(policy::Mode mode) {
  switch (mode) {
    case policy::Mode::kOff:
      break;
    case policy::Mode::kObserve:
      return wire::MODE_OBSERVE;
    case policy::Mode::kGuard:
      return wire::MODE_GUARD;
    case policy::Mode::kFull:
      return wire::MODE_FULL;
  }
  return wire::MODE_UNSPECIFIED;
}

wire::ResizeStep::Kind KindOf(policy::ResizeKind kind) {
  switch (kind) {
    case policy::ResizeKind::kBalloon:
      return wire::ResizeStep::KIND_BALLOON;
    case policy::ResizeKind::kPlug:
      return wire::ResizeStep::KIND_PLUG;
    case policy::ResizeKind::kUnplug:
      return wire::ResizeStep::KIND_UNPLUG;
  }
  return wire::ResizeStep::KIND_UNSPECIFIED;
}

// A plan may be carried out and its size be another all the same. Empty: it is that size.
std::string WhyNotComplete(const control::ResizeResult& result, const policy::ResizePlan& plan) {
  const int64_t beyond = result.size_bytes - plan.to_bytes;
  std::string why = MessageOf(result.status);
  if (!why.empty() || (result.status.ok() && beyond == 0)) return why;
  if (!result.status.ok())
    return "it failed without a reason: " + absl::StatusCodeToString(result.status.code());
  // As near as a balloon is waited for.
  if (std::abs(beyond) <= kMiB)
    return StrCat("its balloon stands ", std::abs(beyond), " bytes ", beyond > 0 ? "below" : "above",
                  " what was planned");
  return beyond > 0 ? StrCat("the guest was given ", FormatSize(beyond), " more meanwhile")
                    : StrCat(FormatSize(-beyond), " left it again meanwhile");
}

int64_t MillisecondsSince(MonotonicTime then, MonotonicTime now) {
  return std::max<int64_t>(0, (now - then).count) / 1'000'000;
}

void FillPlugged(const control::PluggedStatus& status, wire::Plugged& plugged) {
  plugged.set_plugged_bytes(status.plugged_bytes);
  plugged.set_requested_bytes(status.requested_bytes);
  plugged.set_most_bytes(status.most_bytes);
  plugged.set_unit_bytes(status.unit_bytes);
  if (status.offline_bytes) plugged.set_offline_bytes(*status.offline_bytes);
  plugged.set_changing(status.changing);
  for (const vmm::MemoryDevice& device : status.devices) {
    wire::MemoryDevice& filled = *plugged.add_devices();
    filled.set_id(device.id);
    filled.set_kind(device.kind == vmm::DeviceKind::kDimm ? wire::MemoryDevice::KIND_DIMM
                                                          : wire::MemoryDevice::KIND_VIRTIO_MEM);
    filled.set_address(device.address);
    filled.set_size_bytes(device.size_bytes);
    filled.set_requested_bytes(device.requested_bytes);
    filled.set_ours(device.ours);
  }
}

}  // namespace

void FillGuest(const control::GuestStatus& status, MonotonicTime now, wire::Guest& guest) {
  guest.set_name(status.name);
  guest.set_mode(ModeOf(status.mode));
  guest.set_state(StateOf(status.state));
  if (status.vmm) {
    guest.set_size_bytes(status.vmm->size_bytes);
    guest.set_boot_bytes(status.vmm->boot_bytes);
    guest.set_balloon_bytes(status.vmm->balloon_bytes);
    guest.set_running(status.vmm->running);
    if (status.vmm->plugged) FillPlugged(*status.vmm->plugged, *guest.mutable_plugged());
  }
  if (status.balloon_target_bytes) guest.set_balloon_target_bytes(*status.balloon_target_bytes);
  if (status.reported_at) {
    guest.set_total_bytes(status.total_bytes);
    guest.set_available_bytes(status.available_bytes);
    guest.set_report_age_ms(MillisecondsSince(*status.reported_at, now));
  }
  guest.set_last_decision(status.last_decision);
  if (status.decided_at) guest.set_last_decision_age_ms(MillisecondsSince(*status.decided_at, now));
  guest.set_hold(status.hold);
}

void FillPlan(const policy::ResizePlan& plan, wire::ResizePlan& message) {
  message.set_from_bytes(plan.from_bytes);
  message.set_to_bytes(plan.to_bytes);
  message.set_limit(plan.limit);
  for (const policy::ResizeStep& step : plan.steps) {
    wire::ResizeStep& filled = *message.add_steps();
    filled.set_kind(KindOf(step.kind));
    filled.set_from_bytes(step.from_bytes);
    filled.set_to_bytes(step.to_bytes);
  }
}

void FillResult(const control::ResizeResult& result, const policy::ResizePlan& plan,
                wire::ResizeResult& message) {
  message.set_size_bytes(result.size_bytes);
  message.set_complete(result.status.ok() && result.size_bytes == plan.to_bytes);
  message.set_reason(WhyNotComplete(result, plan));
  message.set_refused_count(static_cast<int32_t>(result.refused.size()));
  for (size_t i = 0; i < std::min(result.refused.size(), kMostRefused); ++i) {
    const observe::BlockRefusal& refused = result.refused[i];
    wire::BlockRefusal& filled = *message.add_refused();
    filled.set_address(refused.address);
    filled.set_error(refused.error);
    filled.set_reason(refused.reason);
  }
}

}  // namespace ballast::api
