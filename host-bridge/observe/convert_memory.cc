#include "host-bridge/observe/convert_memory.h"

#include <algorithm>
#include <set>
#include <string>

#include "ballast/guest/v1/guest_agent.pb.h"
#include "common/base/units.h"

namespace ballast::observe {
namespace {

namespace wire = ballast::guest::v1;

constexpr int kMaxList = 8;
constexpr int kStallBuckets = 20;
constexpr Nanos kLongestTime = Seconds(24 * 3600);
// Beyond the policy's largest size it makes no difference.
constexpr int64_t kMostSwap = int64_t{1} << 48;
constexpr int64_t kIsaDma = 16 * kMiB;
constexpr int64_t kMostPermille =
    1'000'000;  // zsmalloc packs same-sized pieces; nothing comes near 1000 to 1

__extension__ typedef __int128 Wide;

// "zram[2].": where in which list. Built only for a list that is there.
std::string At(std::string_view list, int index) { return StrCat(list, "[", index, "]."); }

bool CheckLength(std::string_view list, int size, Checker& check) {
  if (size > kMaxList) check.Fail(StrCat("number of ", list), size, "is above 8");
  return size <= kMaxList;
}

template <typename List>
void CheckNamesDiffer(std::string_view list, const List& entries, Checker& check) {
  std::set<std::string_view> names;
  for (int i = 0; i < entries.size(); ++i) {
    if (!names.insert(entries.Get(i).name()).second) {
      check.Fail(StrCat(list, " with the name of an earlier one, index"), i, "occurs twice");
    }
  }
}

void CheckZones(const wire::Report& report, Checker& check) {
  if (!CheckLength("zones", report.zones_size(), check)) return;
  CheckNamesDiffer("zones", report.zones(), check);
  int64_t free = 0;
  int64_t managed = 0;
  for (int i = 0; i < report.zones_size() && check.status().ok(); ++i) {
    const wire::Zone& zone = report.zones(i);
    const std::string at = At("zones", i);
    check.InRange(StrCat(at, "free_bytes"), zone.free_bytes(), 0, kMaxMemory);
    check.InRange(StrCat(at, "min_bytes"), zone.min_bytes(), 0, kMaxMemory);
    check.InRange(StrCat(at, "low_bytes"), zone.low_bytes(), 0, kMaxMemory);
    check.InRange(StrCat(at, "high_bytes"), zone.high_bytes(), 0, kMaxMemory);
    check.InRange(StrCat(at, "managed_bytes"), zone.managed_bytes(), 0, kMaxMemory);
    check.AtMost(StrCat(at, "min_bytes"), zone.min_bytes(), "low_bytes", zone.low_bytes());
    check.AtMost(StrCat(at, "low_bytes"), zone.low_bytes(), "high_bytes", zone.high_bytes());
    if (!check.status().ok()) return;
    free += zone.free_bytes();
    managed += zone.managed_bytes();
  }
  const int64_t most = 2 * report.meminfo().total_bytes();
  check.AtMost("sum of zones.free_bytes", free, "twice meminfo.total_bytes", most);
  check.AtMost("sum of zones.managed_bytes", managed, "twice meminfo.total_bytes", most);
}

void CheckZramDevice(const wire::ZramDevice& device, const std::string& at, Checker& check) {
  check.InRange(StrCat(at, "disksize_bytes"), device.disksize_bytes(), 0, kMaxMemory);
  check.InRange(StrCat(at, "original_bytes"), device.original_bytes(), 0, kMaxMemory);
  check.InRange(StrCat(at, "compressed_bytes"), device.compressed_bytes(), 0, kMaxMemory);
  check.InRange(StrCat(at, "memory_used_bytes"), device.memory_used_bytes(), 0, kMaxMemory);
  check.InRange(StrCat(at, "memory_limit_bytes"), device.memory_limit_bytes(), 0, kMaxCount);
  check.InRange(StrCat(at, "same_pages"), device.same_pages(), 0, kMaxCount);
  check.InRange(StrCat(at, "incompressible_pages"), device.incompressible_pages(), 0, kMaxCount);
  check.InRange(StrCat(at, "failed_reads"), device.failed_reads(), 0, kMaxCount);
  check.InRange(StrCat(at, "failed_writes"), device.failed_writes(), 0, kMaxCount / kMaxList);
  check.InRange(StrCat(at, "written_back_pages"), device.written_back_pages(), 0, kMaxCount);
  check.InRange(StrCat(at, "ratio_permille"), device.ratio_permille(), 0, kMostPermille);
  check.InRange(StrCat(at, "time_to_full_ms"), device.time_to_full_ms(), 0, kMaxCount);
  check.AtMost(StrCat(at, "original_bytes"), device.original_bytes(), "disksize_bytes",
               device.disksize_bytes());
}

void CheckZram(const wire::Report& report, Checker& check) {
  if (!CheckLength("zram", report.zram_size(), check)) return;
  CheckNamesDiffer("zram", report.zram(), check);
  int64_t used = 0;
  for (int i = 0; i < report.zram_size() && check.status().ok(); ++i) {
    CheckZramDevice(report.zram(i), At("zram", i), check);
    if (check.status().ok()) used += report.zram(i).memory_used_bytes();
  }
  check.AtMost("sum of zram.memory_used_bytes", used, "twice meminfo.total_bytes",
               2 * report.meminfo().total_bytes());
}

void CheckSwap(const wire::SwapUse& swap, Checker& check) {
  check.InRange("swap.zram_total_bytes", swap.zram_total_bytes(), 0, kMaxMemory);
  check.InRange("swap.zram_used_bytes", swap.zram_used_bytes(), 0, kMaxMemory);
  check.InRange("swap.other_total_bytes", swap.other_total_bytes(), 0, kMaxMemory);
  check.InRange("swap.other_used_bytes", swap.other_used_bytes(), 0, kMaxMemory);
  check.AtMost("swap.zram_used_bytes", swap.zram_used_bytes(), "zram_total_bytes", swap.zram_total_bytes());
  check.AtMost("swap.other_used_bytes", swap.other_used_bytes(), "other_total_bytes",
               swap.other_total_bytes());
}

void CheckCgroups(const wire::Report& report, Checker& check) {
  if (!CheckLength("cgroups", report.cgroups_size(), check)) return;
  for (int i = 0; i < report.cgroups_size() && check.status().ok(); ++i) {
    const wire::CgroupUse& cgroup = report.cgroups(i);
    const std::string at = At("cgroups", i);
    check.InRange(StrCat("length of ", at, "path"), static_cast<int64_t>(cgroup.path().size()), 0, 256);
    check.InRange(StrCat(at, "current_bytes"), cgroup.current_bytes(), 0, kMaxMemory);
    check.InRange(StrCat(at, "limit_bytes"), cgroup.limit_bytes(), 0, kMaxCount);
    check.InRange(StrCat(at, "swap_bytes"), cgroup.swap_bytes(), 0, kMaxMemory);
    check.InRange(StrCat(at, "oom_kills"), cgroup.oom_kills(), 0, kMaxCount);
  }
}

void CheckWorkingSet(const wire::WorkingSet& set, int64_t total, Checker& check) {
  check.InRange("working_set.bytes", set.bytes(), 0, kMaxMemory);
  check.InRange("working_set.giveable_bytes", set.giveable_bytes(), 0, kMaxMemory);
  check.AtMost("working_set.giveable_bytes", set.giveable_bytes(), "twice meminfo.total_bytes", 2 * total);
  check.InRange("working_set.refault_bytes_per_second", set.refault_bytes_per_second(), 0, kMaxRate);
  check.InRange("working_set.allocation_stalls_per_second", set.allocation_stalls_per_second(), 0, kMaxRate);
  check.InRange("working_set.scan_per_steal_percent", set.scan_per_steal_percent(), 0, kMaxCount);
  check.InRange("working_set.kernel_headroom_bytes", set.kernel_headroom_bytes(), -kMaxMemory, kMaxMemory);
}

// Unsigned on the wire: what is above any count must not turn negative first.
void CheckCounter(std::string_view field, uint64_t value, Checker& check) {
  constexpr auto kMost = static_cast<uint64_t>(kMaxCount);
  if (value > kMost) check.InRange(field, static_cast<int64_t>(std::min(value, kMost + 1)), 0, kMaxCount);
}

void CheckStalls(const wire::ReclaimStalls& stalls, Checker& check) {
  const int size = stalls.histogram_size();
  if (size != 0 && size != kStallBuckets) {
    check.Fail("number of direct_reclaim.histogram", size, "is neither 0 nor 20");
  }
  CheckCounter("direct_reclaim.count", stalls.count(), check);
  CheckCounter("direct_reclaim.total_us", stalls.total_us(), check);
  CheckCounter("direct_reclaim.longest_us", stalls.longest_us(), check);
  CheckCounter("direct_reclaim.cgroup_count", stalls.cgroup_count(), check);
  CheckCounter("direct_reclaim.cgroup_total_us", stalls.cgroup_total_us(), check);
}

int64_t LeftOf(const wire::ZramDevice& device) {
  const int64_t by_size = device.disksize_bytes() - device.original_bytes();
  if (device.memory_limit_bytes() == 0) return by_size;
  // Too little is stored to know how it compresses: then it counts as not at all.
  const int64_t permille = device.has_ratio_permille() ? device.ratio_permille() : 1'000;
  const int64_t room = std::max<int64_t>(0, device.memory_limit_bytes() - device.memory_used_bytes());
  const Wide by_limit = Wide{room} * permille / 1'000;
  return by_limit < by_size ? static_cast<int64_t>(by_limit) : by_size;
}

}  // namespace

void CheckMemoryParts(const wire::Report& report, Checker& check) {
  CheckZones(report, check);
  CheckZram(report, check);
  if (report.has_swap()) CheckSwap(report.swap(), check);
  if (report.has_zswap()) {
    check.InRange("zswap.pool_bytes", report.zswap().pool_bytes(), 0, kMaxMemory);
    check.InRange("zswap.stored_bytes", report.zswap().stored_bytes(), 0, kMaxMemory);
  }
  CheckCgroups(report, check);
  if (report.has_working_set()) CheckWorkingSet(report.working_set(), report.meminfo().total_bytes(), check);
  if (report.has_direct_reclaim()) CheckStalls(report.direct_reclaim(), check);
}

Maybe<int64_t> KernelHeadroomOf(const wire::Report& report) {
  bool has_movable = false;
  int64_t headroom = 0;
  for (const wire::Zone& zone : report.zones()) {
    const bool movable = zone.name() == "Movable";
    has_movable |= movable && zone.managed_bytes() > 0;
    const bool kept = zone.name() == "DMA" && zone.managed_bytes() <= kIsaDma;
    if (!movable && !kept && zone.name() != "Device") headroom += zone.free_bytes() - zone.low_bytes();
  }
  return has_movable ? Maybe<int64_t>(headroom) : std::nullopt;
}

std::optional<ZramUse> ZramUseOf(const wire::Report& report) {
  const bool none_is_swap = report.has_swap() && report.swap().zram_total_bytes() == 0;
  if (report.zram_size() == 0 || none_is_swap) return std::nullopt;
  ZramUse use;
  constexpr int64_t kFine = int64_t{1} << 40;
  bool grows = false;
  Wide growth = 0;  // bytes in a millisecond times kFine, of those that say when they will be full
  for (const wire::ZramDevice& device : report.zram()) {
    const int64_t left = LeftOf(device);
    use.left_bytes += left;
    use.stored_bytes += device.original_bytes();
    use.failed_writes += device.failed_writes();
    if (!device.has_time_to_full_ms()) continue;
    grows = true;
    growth += Wide{left} * kFine / std::max<int64_t>(1, device.time_to_full_ms());
  }
  // Two that grow at once fill each other's room.
  if (grows && use.left_bytes == 0) use.full_in = Nanos{0};
  if (growth > 0) {
    const Wide span = Wide{use.left_bytes} * kFine / growth * Milliseconds(1).count;
    use.full_in = Nanos{static_cast<int64_t>(std::min<Wide>(span, kLongestTime.count))};
  }
  use.left_bytes = std::min(use.left_bytes, kMostSwap);
  use.stored_bytes = std::min(use.stored_bytes, kMostSwap);
  return use;
}

}  // namespace ballast::observe
