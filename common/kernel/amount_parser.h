// Files that hold one number: a cgroup's memory.current and memory.max, a block device's disksize.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"

namespace ballast::kernel {

// `what` names the file in errors: InvalidArgument when the text is not one whole number up to 2^62. Neither
// allocates anything unless it fails.
[[nodiscard]] absl::StatusOr<int64_t> ParseAmount(std::string_view what, std::string_view text);
// As above; absent for "max", which means no limit.
[[nodiscard]] absl::StatusOr<std::optional<int64_t>> ParseLimit(std::string_view what, std::string_view text);

}  // namespace ballast::kernel
