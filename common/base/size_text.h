// Sizes as people write them: "512MiB", "4GiB", "64KiB", "0". Decimal units are refused with a hint, because
// "MB" means 1,000,000 to some and 1,048,576 to others, and a floor must not depend on who reads it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace ballast {

// Bytes named by `text`: a whole number followed by KiB, MiB, GiB or TiB, or a bare 0 (also "0B", as
// FormatSize writes it). Errors: InvalidArgument that says what was found and what would be right; range
// 0..2^62.
[[nodiscard]] absl::StatusOr<int64_t> ParseSize(std::string_view text);

// The shortest exact text in binary units ("768MiB"); for human eyes rounded to one decimal ("1.5GiB").
[[nodiscard]] std::string FormatSize(int64_t bytes);

}  // namespace ballast
