// /proc/buddyinfo: how much memory is free in blocks of at least a given size.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"

namespace ballast::kernel {

// Free blocks of `order` (0..63: 2^order pages) in all zones; a larger one counts as the blocks of `order` it
// is made of. 0 when no block is so large on this machine. Errors: InvalidArgument naming the line that is
// not "Node N, zone NAME counts..."; no line at all is one, too. Allocates nothing unless it fails.
[[nodiscard]] absl::StatusOr<int64_t> ParseFreeBlocks(std::string_view text, int order);

}  // namespace ballast::kernel
