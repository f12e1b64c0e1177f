#include "guest-agent/sensors/zram_plan.h"

#include <algorithm>

#include "common/base/units.h"

namespace ballast::agent {
namespace {

__extension__ using Wide = __int128;

constexpr int64_t kWhole = 10'000;  // permyriad
// Less is mostly the allocator's own overhead, and says nothing of what the data will do.
constexpr int64_t kTellingUse = kMiB;
// Pages arrive in bursts, a batch each time kswapd wakes: two seconds hold several of them, and soon see the
// end.
constexpr Nanos kGrowthSpan = Seconds(2);
// Quiet agents sample every 10 s. Growth over more than a few of these says nothing about now.
constexpr Nanos kLongestGrowthSpan = Seconds(30);
// Growth by less is single pages coming and going.
constexpr int64_t kMeaningfulGrowth = 256 * kKiB;

// part / whole, 0..10000; 0 where there is no whole.
int32_t Share(Wide part, Wide whole) {
  return whole <= 0 ? 0 : static_cast<int32_t>(std::clamp<Wide>(part * kWhole / whole, 0, kWhole));
}

// When `size` reaches `limit` at the pace it had since `before`.
std::optional<Nanos> TimeToReach(int64_t limit, int64_t size, int64_t before, Nanos span) {
  const int64_t growth = size - before;
  if (limit <= 0 || growth < kMeaningfulGrowth) return std::nullopt;
  const Wide time = Wide{std::max<int64_t>(limit - size, 0)} * span.count / growth;
  return Nanos{static_cast<int64_t>(std::min<Wide>(time, INT64_MAX))};
}

}  // namespace

ZramOutlook OutlookAt(int64_t disksize_bytes, const kernel::ZramMemory& memory, int64_t page_size_bytes) {
  ZramOutlook outlook;
  outlook.fill_permyriad = std::max(Share(memory.original_bytes, disksize_bytes),
                                    Share(memory.memory_used_bytes, memory.memory_limit_bytes));
  outlook.incompressible_permyriad =
      Share(Wide{memory.incompressible_pages} * page_size_bytes, memory.original_bytes);
  if (memory.memory_used_bytes >= kTellingUse) {
    const Wide stored = Wide{memory.original_bytes} - Wide{memory.same_pages} * page_size_bytes;
    outlook.ratio_permille =
        static_cast<int32_t>(std::clamp<Wide>(stored * 1'000 / memory.memory_used_bytes, 0, INT32_MAX));
  }
  return outlook;
}

ZramOutlook ZramPlan::Next(MonotonicTime now, int64_t disksize_bytes, const kernel::ZramMemory& memory,
                           int64_t page_size_bytes) {
  ZramOutlook outlook = OutlookAt(disksize_bytes, memory, page_size_bytes);
  if (const auto before = history_.Before(now, kGrowthSpan, kLongestGrowthSpan)) {
    const Nanos span = now - before->at;
    const auto by_size =
        TimeToReach(disksize_bytes, memory.original_bytes, before->value.original_bytes, span);
    const auto by_memory = TimeToReach(memory.memory_limit_bytes, memory.memory_used_bytes,
                                       before->value.memory_used_bytes, span);
    outlook.time_to_full = by_size && by_memory ? std::min(*by_size, *by_memory)
                           : by_size            ? by_size
                                                : by_memory;
  }
  history_.Add(now, {memory.original_bytes, memory.memory_used_bytes});
  return outlook;
}

}  // namespace ballast::agent
