// The memory of one process: what /proc/PID/status says of it.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"

namespace ballast::kernel {

// Bytes in memory now, by kind; a page is of one kind only.
struct ProcessMemory {
  int64_t anon_bytes = 0;      // private: heap, stacks, guest RAM without a shared backend
  int64_t shared_bytes = 0;    // tmpfs and memfd
  int64_t huge_tlb_bytes = 0;  // hugetlbfs, which is in no RSS; 0 on a kernel that does not say

  friend bool operator==(const ProcessMemory&, const ProcessMemory&) = default;
};

// The text of /proc/PID/status. INVALID_ARGUMENT when a line is missing (a kernel's own thread has none) or
// is no number of kB.
[[nodiscard]] absl::StatusOr<ProcessMemory> ParseProcessMemory(std::string_view text);

}  // namespace ballast::kernel
