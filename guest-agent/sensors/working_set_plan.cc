#include "guest-agent/sensors/working_set_plan.h"

#include <algorithm>

#include "common/base/units.h"

namespace ballast::agent {
namespace {

__extension__ using Wide = __int128;

constexpr int64_t kMostBytes = int64_t{1} << 62;

// Rates are over the last second: a shorter time sees single bursts of kswapd, a longer one goes on after the
// end.
constexpr Nanos kVmstatRateSpan = Seconds(1);
// Quiet agents sample every 10 s. A rate over more than a few of these says nothing about now.
constexpr Nanos kLongestSpan = Seconds(30);
// What was read again within this time is taken to have been missing all at once: a program that cycles
// through more than there is room for comes round in seconds.
constexpr Nanos kRefaultWindow = Seconds(10);
// Two readahead windows of 128 KiB a second: a program that starts, not one that lacks memory.
constexpr int64_t kRefaultNoise = 256 * kKiB;
// A thousand pages scanned for one: beyond it more says nothing more.
constexpr int64_t kMostScanPercent = 100'000;

int64_t Clamp(Wide bytes) { return static_cast<int64_t>(std::clamp<Wide>(bytes, 0, kMostBytes)); }

// A counter's rise; 0 where it fell, as after a restored snapshot.
int64_t Rise(int64_t from, int64_t to) { return std::max<int64_t>(to - from, 0); }

int64_t PerSecond(Wide amount, Nanos span) {
  return Clamp(amount * kNanosPerSecond / std::max<int64_t>(span.count, 1));
}

int32_t ScanPerSteal(int64_t scanned, int64_t stolen) {
  if (scanned == 0) return 0;
  return static_cast<int32_t>(
      std::clamp<Wide>(Wide{scanned} * 100 / std::max<int64_t>(stolen, 1), 1, kMostScanPercent));
}

// Free memory above the high watermarks, of all zones or of those that can serve the kernel.
int64_t FreeAboveHigh(const kernel::Zones& zones, bool movable_too) {
  Wide sum = 0;
  for (const kernel::Zone& zone : zones) {
    if (zone.kind == kernel::ZoneKind::kMovable && !movable_too) continue;
    sum += std::max<int64_t>(zone.free_bytes - zone.high_bytes, 0);
  }
  return Clamp(sum);
}

// Page cache nobody is known to use: the inactive list, less what some process has mapped (its use shows only
// when it is scanned).
int64_t InactiveCache(const kernel::Meminfo& meminfo) {
  return Clamp(Wide{meminfo.inactive_file_bytes.value_or(0)} - meminfo.mapped_bytes.value_or(0));
}

// Generations count when they tell cold from warm for at least half of what they hold: until the first walks
// they say that all is as old as the guest.
bool Tell(const std::optional<kernel::LruGenerations>& generations) {
  return generations && generations->pages > 0 && generations->judged_pages >= generations->pages / 2;
}

struct Cold {
  int64_t cache_bytes = 0;
  int64_t anon_bytes = 0;
};

Cold ColdOf(const WorkingSetFacts& facts, WorkingSetMethod method) {
  switch (method) {
    case WorkingSetMethod::kMglru:
      return {Clamp(Wide{facts.generations->cold_file_pages} * facts.page_size_bytes),
              Clamp(Wide{facts.generations->cold_anon_pages} * facts.page_size_bytes)};
    case WorkingSetMethod::kRefault:
      return {InactiveCache(facts.meminfo), 0};
  }
  return {};
}

}  // namespace

WorkingSetPlan::Counters WorkingSetPlan::CountersOf(const kernel::Vmstat& vmstat) {
  return {Clamp(Wide{vmstat.refault_anon_pages.value_or(0)} + vmstat.refault_file_pages.value_or(0)),
          vmstat.alloc_stalls.value_or(0),
          Clamp(Wide{vmstat.scan_kswapd_pages.value_or(0)} + vmstat.scan_direct_pages.value_or(0)),
          Clamp(Wide{vmstat.steal_kswapd_pages.value_or(0)} + vmstat.steal_direct_pages.value_or(0))};
}

int64_t WorkingSetPlan::LatelyRefaulted(const WorkingSetFacts& facts, const Counters& now) const {
  auto from = history_.Before(facts.at, kRefaultWindow, kLongestSpan);
  if (!from) from = history_.Oldest(facts.at, kLongestSpan);
  if (!from) return 0;
  const int64_t pages = Rise(from->value.refaulted_pages, now.refaulted_pages);
  // Of a longer time than the window its share.
  const Nanos span = std::max(facts.at - from->at, kRefaultWindow);
  return Clamp(Wide{pages} * facts.page_size_bytes * kRefaultWindow.count / span.count);
}

std::optional<WorkingSet> WorkingSetPlan::Next(const WorkingSetFacts& facts) {
  const Counters now = CountersOf(facts.vmstat);
  const auto from = history_.Before(facts.at, kVmstatRateSpan, kLongestSpan);
  const int64_t lately_refaulted = LatelyRefaulted(facts, now);
  history_.Add(facts.at, now);
  if (!from) return std::nullopt;

  WorkingSet set;
  set.method = Tell(facts.generations) ? WorkingSetMethod::kMglru : WorkingSetMethod::kRefault;
  const Counters& before = from->value;
  const Nanos span = facts.at - from->at;
  set.refault_bytes_per_second =
      PerSecond(Wide{Rise(before.refaulted_pages, now.refaulted_pages)} * facts.page_size_bytes, span);
  set.allocation_stalls_per_second = PerSecond(Rise(before.allocation_stalls, now.allocation_stalls), span);
  set.scan_per_steal_percent = ScanPerSteal(Rise(before.scanned_pages, now.scanned_pages),
                                            Rise(before.stolen_pages, now.stolen_pages));
  set.kernel_headroom_bytes = FreeAboveHigh(facts.zones, false);

  const kernel::Meminfo& meminfo = facts.meminfo;
  const Cold cold = ColdOf(facts, set.method);
  const Wide owned = Wide{meminfo.total_bytes} - facts.counted_balloon_bytes;
  const Wide needed = owned - meminfo.free_bytes - cold.cache_bytes - cold.anon_bytes;
  set.bytes = Clamp(std::min(std::max<Wide>(needed, 0) + lately_refaulted, std::max<Wide>(owned, 0)));

  if (set.refault_bytes_per_second >= kRefaultNoise) return set;
  const int64_t unclean = meminfo.dirty_bytes.value_or(0) + meminfo.writeback_bytes.value_or(0);
  const Wide giveable =
      Wide{FreeAboveHigh(facts.zones, true)} + std::max<int64_t>(cold.cache_bytes - unclean, 0);
  set.giveable_bytes = Clamp(std::min<Wide>(giveable, meminfo.available_bytes));
  return set;
}

}  // namespace ballast::agent
