// Names out of the kernel into what verdicts hold: valid UTF-8, bounded.
#pragma once

#include <string_view>

#include "guest-agent/oom/verdict_plan.h"

namespace ballast::agent {

// As the kernel holds it: whatever bytes the process chose.
[[nodiscard]] Comm CommFromKernel(std::string_view comm);
// As the kernel's log writes it: some bytes as "\xNN".
[[nodiscard]] Comm CommFromLog(std::string_view comm);
[[nodiscard]] CgroupPath PathFromLog(std::string_view path);
// Adds "/name" to a path.
void AppendToPath(std::string_view name, CgroupPath& path);

}  // namespace ballast::agent
