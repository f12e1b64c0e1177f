// What the guest needs and what it could give, worked out of what the kernel counts. Pure: the recent past is
// a member, time comes with the facts.
#pragma once

#include <cstdint>
#include <optional>

#include "common/base/spaced_history.h"
#include "common/base/time.h"
#include "common/kernel/lru_gen_parser.h"
#include "common/kernel/meminfo_parser.h"
#include "common/kernel/vmstat_parser.h"
#include "common/kernel/zone_parser.h"

namespace ballast::agent {

// One look at the guest.
struct WorkingSetFacts {
  MonotonicTime at;
  kernel::Meminfo meminfo;
  kernel::Vmstat vmstat;
  kernel::Zones zones;
  std::optional<kernel::LruGenerations> generations;  // absent: no MGLRU, or its listing cannot be read
  int64_t page_size_bytes = 4096;
  // The balloon's bytes where MemTotal still counts them (deflate-on-oom), otherwise 0.
  int64_t counted_balloon_bytes = 0;
};

enum class WorkingSetMethod : uint8_t { kRefault, kMglru };

// Estimates. Sizes in bytes, at least 0.
struct WorkingSet {
  WorkingSetMethod method = WorkingSetMethod::kRefault;
  int64_t bytes = 0;  // without the balloon
  int64_t giveable_bytes =
      0;  // 0 while the guest refaults; whoever knows the guest to be pressed says 0, too
  int64_t refault_bytes_per_second = 0;
  int64_t allocation_stalls_per_second = 0;
  int32_t scan_per_steal_percent = 0;
  int64_t kernel_headroom_bytes = 0;

  friend bool operator==(const WorkingSet&, const WorkingSet&) = default;
};

// A value: copy it and both copies go on independently.
class WorkingSetPlan {
 public:
  // Nothing until the counters were seen over a second: without rates nobody knows that the guest does not
  // refault.
  [[nodiscard]] std::optional<WorkingSet> Next(const WorkingSetFacts& facts);

 private:
  struct Counters {
    int64_t refaulted_pages = 0;
    int64_t allocation_stalls = 0;
    int64_t scanned_pages = 0;
    int64_t stolen_pages = 0;
  };
  [[nodiscard]] static Counters CountersOf(const kernel::Vmstat& vmstat);
  [[nodiscard]] int64_t LatelyRefaulted(const WorkingSetFacts& facts, const Counters& now) const;

  // Four a second over more than the ten of the longest window.
  SpacedHistory<Counters, 48> history_{Milliseconds(250)};
};

}  // namespace ballast::agent
