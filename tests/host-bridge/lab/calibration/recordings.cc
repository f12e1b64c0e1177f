#include "tests/host-bridge/lab/calibration/recordings.h"

#include <fstream>
#include <iterator>

#include "common/base/text.h"

namespace ballast::calibration {

absl::StatusOr<Recording> ReadRecording(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(StrCat("cannot read ", path));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  absl::StatusOr<Recording> recording = ParseRecording(text);
  if (!recording.ok()) return WithContext(path, recording.status());
  return recording;
}

absl::StatusOr<std::vector<Recording>> ReadRecordings(const std::vector<std::string>& paths) {
  std::vector<Recording> recordings;
  for (const std::string& path : paths) {
    absl::StatusOr<Recording> recording = ReadRecording(path);
    if (!recording.ok()) return recording.status();
    recordings.push_back(std::move(*recording));
  }
  return recordings;
}

}  // namespace ballast::calibration
