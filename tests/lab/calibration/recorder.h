// Plays a story to a real guest and writes down what its kernel said.
#pragma once

#include "absl/status/statusor.h"
#include "tests/host-bridge/lab/calibration/recording.h"
#include "tests/lab/calibration/stories.h"

namespace ballast::lab {

// Boots a guest and takes the story's time. FAILED_PRECONDITION where no guest can be booted.
[[nodiscard]] absl::StatusOr<calibration::Recording> Record(const Story& story);

}  // namespace ballast::lab
