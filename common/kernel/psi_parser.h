// /proc/pressure/<resource> and a cgroup's <resource>.pressure as one struct.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"

namespace ballast::kernel {

struct PsiLine {
  int64_t total_us = 0;  // stalled time since boot, fresh at every read
  // Averages the kernel refreshes every 2 s; permyriad, 0..10000.
  int32_t avg10_permyriad = 0;
  int32_t avg60_permyriad = 0;
  int32_t avg300_permyriad = 0;

  friend bool operator==(const PsiLine&, const PsiLine&) = default;
};

struct Psi {
  PsiLine some;                 // at least one task was stalled
  std::optional<PsiLine> full;  // all were; old kernels have no such line for the CPU

  friend bool operator==(const Psi&, const Psi&) = default;
};

// Unknown lines and keys are passed over. Errors: InvalidArgument naming the line and key. Allocates nothing
// unless it fails.
[[nodiscard]] absl::StatusOr<Psi> ParsePsi(std::string_view text);

}  // namespace ballast::kernel
