// Brings a zram device to a profile, step by step.
#pragma once

#include "absl/status/statusor.h"
#include "guest-agent/act/scene.h"

namespace ballast::agent {

// Errors: those of PlanZramProfile; INVALID_ARGUMENT when the device is not there, or not named and one of
// several; UNIMPLEMENTED when the kernel has no zram. A step that fails is among `skipped`, and a device that
// was emptied for it gets back what it had.
[[nodiscard]] absl::StatusOr<ZramResult> ConfigureZram(const Scene& scene, const ZramWish& wish);

}  // namespace ballast::agent
