// A story as text that people and tests read: `key = value` lines, `#` starts a comment. What is not written
// has its default. Sizes may end in KiB, MiB or GiB, times in ms or s (else ns); instants count from the
// scene's `now`.
#pragma once

#include <string>
#include <string_view>

#include "tests/host-bridge/policy/property_story.h"

namespace ballast::policy {

struct PropertyFile {
  std::string invariant;  // I1 to I9
  Story story;
};

[[nodiscard]] std::string FormatStory(Story story);
[[nodiscard]] std::string FormatValue(int64_t value, bool is_bytes, bool is_span);

// What is wrong with `text`, by line; unset when `file` was filled.
[[nodiscard]] Broken ParsePropertyFile(std::string_view text, PropertyFile& file);

}  // namespace ballast::policy
