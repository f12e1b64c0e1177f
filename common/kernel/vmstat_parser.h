// The counters of /proc/vmstat that Ballast uses, as one struct.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"

namespace ballast::kernel {

// Totals since boot, in pages or events. A counter this kernel does not have is absent, never zero.
struct Vmstat {
  std::optional<int64_t> oom_kills;  // global and cgroup kills alike
  std::optional<int64_t> balloon_inflate_pages;
  std::optional<int64_t> balloon_deflate_pages;
  std::optional<int64_t> swap_in_pages;
  std::optional<int64_t> swap_out_pages;
  std::optional<int64_t> major_faults;
  std::optional<int64_t> refault_anon_pages;
  std::optional<int64_t> refault_file_pages;
  std::optional<int64_t> scan_kswapd_pages;
  std::optional<int64_t> scan_direct_pages;
  std::optional<int64_t> steal_kswapd_pages;
  std::optional<int64_t> steal_direct_pages;
  std::optional<int64_t> alloc_stalls;  // sum over the zones

  friend bool operator==(const Vmstat&, const Vmstat&) = default;
};

// Unknown lines are passed over. Errors: InvalidArgument naming the field that is not a number or out of
// range, or saying that the text holds no counter at all. Allocates nothing unless it fails.
[[nodiscard]] absl::StatusOr<Vmstat> ParseVmstat(std::string_view text);

}  // namespace ballast::kernel
