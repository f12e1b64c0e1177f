// Keeps the only witness of a shortage from becoming its victim, and says what it could not obtain.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/os/file_reader.h"

namespace ballast::agent {

// One measure and what came of it.
struct SelfCheck {
  std::string name;
  bool obtained = false;
  std::string detail;  // what was obtained, or why not
};

// All measures for this process, to be taken once everything has started: "oom_exempt" (the OOM killer passes
// it by), "memory_locked", "memory_min" (of its cgroup) and "priority" (whether its threads may be raised).
// `files` is where /proc and /sys are.
[[nodiscard]] std::vector<SelfCheck> ProtectThisProcess(const FileReader& files);

// In a thread that a report passes: it runs before ordinary ones (lowest real-time priority, else nice -20),
// and finds its stack in memory. Errors: neither was permitted.
[[nodiscard]] absl::Status RaiseThisThread();

}  // namespace ballast::agent
