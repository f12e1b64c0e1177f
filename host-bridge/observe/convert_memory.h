// The parts of a report beyond meminfo: zones, zram, swap, cgroups, working set, stalls in reclaim. Checked
// field by field, and boiled down to the few numbers the policy goes by.
#pragma once

#include <cstdint>
#include <optional>

#include "common/base/maybe.h"
#include "common/base/time.h"
#include "host-bridge/observe/checker.h"

namespace ballast::guest::v1 {
class Report;
}

namespace ballast::observe {

// Ranges, lengths of lists (at most 8), names that occur twice, and sums: zones and zram together may not
// hold more than twice MemTotal. (Not once: a balloon that gives quickly changes MemTotal between two reads.)
// Needs a report whose meminfo is checked.
void CheckMemoryParts(const guest::v1::Report& report, Checker& check);

// What is free above the low watermarks of the zones that serve the kernel, together; negative: below them.
// Absent without zones, and where no zone is Movable: there MemAvailable tells all. A DMA zone of at most
// 16 MiB does not count: its pages are kept from ordinary allocations.
[[nodiscard]] Maybe<int64_t> KernelHeadroomOf(const guest::v1::Report& report);

// All zram devices together, where they hold swap.
struct ZramUse {
  int64_t left_bytes = 0;     // uncompressed, that they still take
  int64_t stored_bytes = 0;   // uncompressed
  Maybe<Nanos> full_in = {};  // at the present rate of growth; absent while they do not grow
  int64_t failed_writes = 0;  // since they were made
};
// Absent without one, and where /proc/swaps says that none is swap.
[[nodiscard]] std::optional<ZramUse> ZramUseOf(const guest::v1::Report& report);

}  // namespace ballast::observe
