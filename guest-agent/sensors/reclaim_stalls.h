// Direct reclaim as a source that sees each stall measures it.
#pragma once

#include <array>
#include <cstdint>

namespace ballast::agent {

// Since the agent started. Where no such source runs the kernel's counter tells how many there were.
struct ReclaimStalls {
  static constexpr size_t kBuckets = 20;
  int64_t count = 0;
  int64_t total_us = 0;
  std::array<int64_t, kBuckets> histogram{};  // element i: [2^i, 2^(i+1)) us; the ends take what is beyond
  int64_t longest_us = 0;
  int64_t cgroup_count = 0;  // caused by a cgroup's own limit; not counted above
  int64_t cgroup_total_us = 0;

  friend bool operator==(const ReclaimStalls&, const ReclaimStalls&) = default;
};

}  // namespace ballast::agent
