// How full a zram device is, what it is worth, and when it will be full. Pure: the recent past is a member,
// time comes with the facts.
#pragma once

#include <cstdint>
#include <optional>

#include "common/base/spaced_history.h"
#include "common/base/time.h"
#include "common/kernel/zram_parser.h"

namespace ballast::agent {

struct ZramOutlook {
  int32_t fill_permyriad = 0;  // the larger of stored/disksize and memory used/memory limit; 0..10000
  std::optional<int32_t> ratio_permille;  // absent while less than 1 MiB is used
  int32_t incompressible_permyriad = 0;   // of what is stored; 0..10000
  std::optional<Nanos> time_to_full;      // absent while it does not grow

  friend bool operator==(const ZramOutlook&, const ZramOutlook&) = default;
};

// What one look tells; without the time.
[[nodiscard]] ZramOutlook OutlookAt(int64_t disksize_bytes, const kernel::ZramMemory& memory,
                                    int64_t page_size_bytes);

// Of one device. A value: copy it and both copies go on independently.
class ZramPlan {
 public:
  [[nodiscard]] ZramOutlook Next(MonotonicTime now, int64_t disksize_bytes, const kernel::ZramMemory& memory,
                                 int64_t page_size_bytes);

 private:
  struct Sizes {
    int64_t original_bytes = 0;
    int64_t memory_used_bytes = 0;
  };
  // Four a second over more than the two of the window.
  SpacedHistory<Sizes, 12> history_{Milliseconds(250)};
};

}  // namespace ballast::agent
