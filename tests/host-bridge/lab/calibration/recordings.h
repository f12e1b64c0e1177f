// Recordings from files.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/host-bridge/lab/calibration/recording.h"

namespace ballast::calibration {

// The error names the file.
[[nodiscard]] absl::StatusOr<Recording> ReadRecording(const std::string& path);
// In the order of the paths.
[[nodiscard]] absl::StatusOr<std::vector<Recording>> ReadRecordings(const std::vector<std::string>& paths);

}  // namespace ballast::calibration
