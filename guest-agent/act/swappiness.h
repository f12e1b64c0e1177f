// How readily the kernel swaps rather than drops page cache.
#pragma once

#include "absl/status/statusor.h"
#include "common/os/file_reader.h"
#include "guest-agent/act/act_types.h"

namespace ballast::agent {

// `swappiness`: 0..200. Written at once, for that cannot block, and read back. Errors: UNIMPLEMENTED when the
// kernel has no such setting or none above 100; INTERNAL when it took another value.
[[nodiscard]] absl::StatusOr<SwappinessResult> SetSwappiness(const FileReader& files, int32_t swappiness);

}  // namespace ballast::agent
