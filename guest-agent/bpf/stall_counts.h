// How often and how long tasks had to reclaim memory themselves before they got some.
#pragma once

#include <array>
#include <cstdint>

namespace ballast::agent {

// Since the agent started. Element i of the histogram counts stalls of [2^i, 2^(i+1)) microseconds; the first
// also shorter, the last also longer ones.
struct StallCounts {
  uint64_t count = 0;
  uint64_t total_us = 0;
  uint64_t longest_us = 0;
  std::array<uint64_t, 20> histogram{};
  // Caused by a cgroup's own limit; not counted above.
  uint64_t cgroup_count = 0;
  uint64_t cgroup_total_us = 0;

  friend bool operator==(const StallCounts&, const StallCounts&) = default;
};

}  // namespace ballast::agent
