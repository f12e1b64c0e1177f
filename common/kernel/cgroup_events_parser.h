// memory.events of a cgroup of version 2.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"

namespace ballast::kernel {

// How many members of the cgroup and of those below it were killed by any OOM, the guest's own included,
// since it was made. Unknown lines are passed over. Errors: InvalidArgument when oom_kill is missing or not a
// number. Allocates nothing unless it fails.
[[nodiscard]] absl::StatusOr<int64_t> ParseCgroupOomKills(std::string_view text);

}  // namespace ballast::kernel
