// What operators see, as messages of ballast.bridge.v1.
#pragma once

#include "ballast/bridge/v1/bridge.pb.h"
#include "common/base/time.h"
#include "host-bridge/control/guest_status.h"
#include "host-bridge/control/resize.h"

namespace ballast::api {

void FillGuest(const control::GuestStatus& status, MonotonicTime now, bridge::v1::Guest& guest);
void FillPlan(const policy::ResizePlan& plan, bridge::v1::ResizePlan& message);
void FillResult(const control::ResizeResult& result, const policy::ResizePlan& plan,
                bridge::v1::ResizeResult& message);

}  // namespace ballast::api
