// The guest's own figures as its balloon driver hands them to the VMM.
#pragma once

#include <cstdint>
#include <optional>

namespace ballast::vmm {

// What the guest's balloon driver says about its memory: a second opinion when the agent is silent. Written
// by the guest, so no more trusted than the agent. Absent = the guest or the VMM does not give it.
struct BalloonStatistics {
  std::optional<int64_t> updated_unix_seconds;  // host's wall clock; absent: never
  std::optional<int64_t> total_bytes;
  std::optional<int64_t> free_bytes;
  std::optional<int64_t> available_bytes;
  std::optional<int64_t> cache_bytes;
  std::optional<int64_t> swap_in_bytes;
  std::optional<int64_t> swap_out_bytes;
  std::optional<int64_t> major_faults;
  std::optional<int64_t> oom_kills;

  friend bool operator==(const BalloonStatistics&, const BalloonStatistics&) = default;
};

}  // namespace ballast::vmm
