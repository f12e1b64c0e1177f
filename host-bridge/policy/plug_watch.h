// What becomes of memory that was plugged or asked back: whether it has arrived, is on its way, or is
// refused.
#pragma once

#include "host-bridge/policy/rules/rule.h"

namespace ballast::policy {

// What the VMM says of plugged memory, when that can be believed; null: there is none, or it contradicts
// itself.
[[nodiscard]] const PlugReading* BelievedPlug(const VmmReading& reading);

// Fills view.plug and brings the guest's hotplug history up to date. `ceiling` and `floor` of its size in
// bytes. The rest of the view is filled already; while memory is on its way nothing is taken by the balloon.
void WatchPlug(const PlugReading& reading, int64_t ceiling, int64_t floor, View& view, GuestHistory& history,
               const PolicyConfig& config, MonotonicTime now);

// What the guest says while a change of its plugged memory is commanded, so that its arrival can be told;
// null: it is not heard.
void NoteBefore(const GuestReading* reading, PlugHistory& history);

}  // namespace ballast::policy
