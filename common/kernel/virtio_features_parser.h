// The negotiated features of a virtio device, as sysfs prints them: one character a bit, bit 0 first, 64
// characters on older kernels and 128 on newer ones. So a bit is looked up by index, never read as a number.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"

namespace ballast::kernel {

// Of the virtio balloon (device id 5).
struct BalloonFeatures {
  bool stats = false;                // bit 1
  bool deflate_on_oom = false;       // bit 2
  bool free_page_hint = false;       // bit 3
  bool free_page_reporting = false;  // bit 5

  friend bool operator==(const BalloonFeatures&, const BalloonFeatures&) = default;
};

// Errors: InvalidArgument when the text is not 6 to 1024 characters of 0 and 1 with at most one line end.
[[nodiscard]] absl::StatusOr<BalloonFeatures> ParseBalloonFeatures(std::string_view text);

}  // namespace ballast::kernel
