// Gives cold memory back: through memory.reclaim where the kernel has it, else by dropping the page cache
// where that is cold.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "guest-agent/act/scene.h"

namespace ballast::agent {

// "/system.slice/db.service" -> true: below the cgroup mount and nowhere else, at most 256 bytes.
[[nodiscard]] bool IsCgroupPath(std::string_view path);

// Errors: INVALID_ARGUMENT naming the field; UNIMPLEMENTED when this kernel cannot; FAILED_PRECONDITION when
// the page cache could only be dropped as a whole and is in use, or is far more than was asked for.
[[nodiscard]] absl::StatusOr<ReclaimResult> Reclaim(const Scene& scene, const ReclaimWish& wish);

}  // namespace ballast::agent
