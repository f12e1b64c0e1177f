// Keeps the only witness of a shortage from becoming its victim.
#pragma once

#include "absl/status/status.h"

namespace ballast::agent {

// The OOM killer passes this process by (oom_score_adj -1000). Errors: the kernel's, without privilege.
[[nodiscard]] absl::Status ExemptFromOomKiller();

// The calling thread runs before ordinary ones: lowest real-time priority, else nice -20. Errors: neither was
// permitted.
[[nodiscard]] absl::Status RaiseThisThread();

}  // namespace ballast::agent
