// Memory that the kernel leaves to the agent's cgroup (memory.min of cgroup v2), whatever else runs short.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "common/os/file_reader.h"

namespace ballast::agent {

// Sees to it that process `pid` is in a cgroup whose memory.min is at least `bytes`: one of its own,
// /ballast-agent, when it is in none but the root; else the one it is in, which a service manager made for
// it. Returns what was obtained, for people. Errors say what is missing and what would be right: no cgroup
// v2, no permission, or an ancestor that protects less, for the kernel gives a child no more than its parents
// have.
[[nodiscard]] absl::StatusOr<std::string> ProtectByCgroup(const FileReader& files, pid_t pid, int64_t bytes);

}  // namespace ballast::agent
