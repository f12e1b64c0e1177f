// Moves pages together, so that whole huge pages become free for free page reporting.
#pragma once

#include "absl/status/statusor.h"
#include "guest-agent/act/scene.h"

namespace ballast::agent {

// Node by node where the guest has several. Errors: UNIMPLEMENTED when this kernel cannot.
[[nodiscard]] absl::StatusOr<CompactResult> Compact(const Scene& scene);

}  // namespace ballast::agent
