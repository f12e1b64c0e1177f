#include "host-bridge/control/guest_status.h"

#include "host-bridge/control/plug_desk.h"
#include "host-bridge/policy/resize.h"

namespace ballast::control {
namespace {

PluggedStatus PluggedOf(const policy::GuestFacts& facts, const policy::PlugReading& plug,
                        const PlugDesk& desk) {
  PluggedStatus status;
  status.plugged_bytes = plug.plugged_bytes;
  status.requested_bytes = plug.requested_bytes;
  status.most_bytes = plug.most_bytes;
  status.unit_bytes = plug.unit_bytes;
  if (facts.report && facts.report->value.blocks)
    status.offline_bytes = (*facts.report->value.blocks).offline_bytes;
  if (desk.devices()) status.devices = desk.devices()->value.devices;
  status.changing = desk.IsBusy();
  return status;
}

}  // namespace

GuestStatus StatusOf(const policy::GuestFacts& facts, const PlugDesk& desk) {
  GuestStatus status;
  status.name = facts.limits.name;
  status.state = facts.history.state;
  if (facts.vmm) {
    const policy::VmmReading& vmm = facts.vmm->value;
    SizeStatus size;
    size.size_bytes = policy::SizeOf(vmm);
    size.boot_bytes = vmm.base_bytes;
    size.balloon_bytes = vmm.balloon_actual.count;
    size.running = vmm.running;
    if (vmm.plug) {
      const policy::PlugReading& plug = *vmm.plug;
      size.boot_bytes -= plug.plugged_bytes - plug.outside_base_bytes;
      size.plugged = PluggedOf(facts, plug, desk);
    }
    status.vmm = std::move(size);
  }
  if (facts.history.target) status.balloon_target_bytes = (*facts.history.target).count;
  if (facts.report) {
    status.total_bytes = facts.report->value.total_bytes;
    status.available_bytes = facts.report->value.available_bytes;
    status.reported_at = facts.report->at;
  }
  return status;
}

}  // namespace ballast::control
