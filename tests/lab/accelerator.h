// Hardware virtualisation where it works, emulation where it does not.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "tests/lab/assets.h"

namespace ballast::lab {

// "kvm" only when a probe guest really booted with it in reasonable time: in a nested cloud machine /dev/kvm
// may open and yet run fifty times slower than emulation. The answer is remembered in the assets' cache
// directory for this boot of the host; the environment variable BALLAST_LAB_ACCEL overrides it.
[[nodiscard]] absl::StatusOr<std::string> ChooseAccelerator(const Assets& assets);

}  // namespace ballast::lab
