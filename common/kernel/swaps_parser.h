// /proc/swaps, summed up by kind.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"

namespace ballast::kernel {

// Bytes. Storing on zram takes memory, so its free space is no capacity like that of a disk.
struct Swaps {
  int64_t zram_total_bytes = 0;
  int64_t zram_used_bytes = 0;  // <= its total
  int64_t other_total_bytes = 0;
  int64_t other_used_bytes = 0;  // <= its total

  friend bool operator==(const Swaps&, const Swaps&) = default;
};

// A device is zram by its name. Errors: InvalidArgument naming the line and field. Allocates nothing unless
// it fails.
[[nodiscard]] absl::StatusOr<Swaps> ParseSwaps(std::string_view text);

}  // namespace ballast::kernel
