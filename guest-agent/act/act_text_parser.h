// The few fields of kernel files that only acts need.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"

namespace ballast::agent {

// Pages that reclaim has taken since boot, from /proc/vmstat or a cgroup's memory.stat: the sum by kind of
// page where it is counted, which holds for every way of reclaiming; else a cgroup's own sum; else the sum by
// who reclaimed. Errors: InvalidArgument when there is none of these.
[[nodiscard]] absl::StatusOr<int64_t> ParseStolenPages(std::string_view text);

// Page cache by its last use, from /proc/meminfo; what cannot be dropped (dirty, shared memory) left out.
struct CacheUse {
  int64_t active_bytes = 0;
  int64_t inactive_bytes = 0;
  int64_t cached_bytes = 0;  // of files and devices; falls when the cache is dropped

  friend bool operator==(const CacheUse&, const CacheUse&) = default;
};
// Errors: InvalidArgument naming the missing line.
[[nodiscard]] absl::StatusOr<CacheUse> ParseCacheUse(std::string_view meminfo);

}  // namespace ballast::agent
