#include "guest-agent/service/convert_signals.h"

#include <string>

#include "guest-agent/service/convert_blocks.h"

namespace ballast::agent {
namespace {

void FillZone(const kernel::Zone& from, guest::v1::Zone& to) {
  to.set_name(std::string(kernel::NameOf(from.kind)));
  to.set_free_bytes(from.free_bytes);
  to.set_min_bytes(from.min_bytes);
  to.set_low_bytes(from.low_bytes);
  to.set_high_bytes(from.high_bytes);
  to.set_managed_bytes(from.managed_bytes);
}

void FillZram(const ZramReading& from, guest::v1::ZramDevice& to) {
  to.set_name(std::string(from.name.View()));
  to.set_disksize_bytes(from.disksize_bytes);
  to.set_algorithm(std::string(from.algorithm.View()));
  to.set_original_bytes(from.memory.original_bytes);
  to.set_compressed_bytes(from.memory.compressed_bytes);
  to.set_memory_used_bytes(from.memory.memory_used_bytes);
  to.set_memory_limit_bytes(from.memory.memory_limit_bytes);
  to.set_same_pages(from.memory.same_pages);
  to.set_incompressible_pages(from.memory.incompressible_pages);
  to.set_failed_reads(from.io.failed_reads);
  to.set_failed_writes(from.io.failed_writes);
  if (from.written_back_pages) to.set_written_back_pages(*from.written_back_pages);
  to.set_fill_permyriad(from.outlook.fill_permyriad);
  if (from.outlook.ratio_permille) to.set_ratio_permille(*from.outlook.ratio_permille);
  to.set_incompressible_permyriad(from.outlook.incompressible_permyriad);
  if (from.outlook.time_to_full) to.set_time_to_full_ms(from.outlook.time_to_full->count / kNanosPerMilli);
}

void FillSwap(const kernel::Swaps& from, guest::v1::SwapUse& to) {
  to.set_zram_total_bytes(from.zram_total_bytes);
  to.set_zram_used_bytes(from.zram_used_bytes);
  to.set_other_total_bytes(from.other_total_bytes);
  to.set_other_used_bytes(from.other_used_bytes);
}

void FillCgroup(const CgroupReading& from, guest::v1::CgroupUse& to) {
  to.set_path(std::string(from.path.View()));
  to.set_current_bytes(from.current_bytes);
  if (from.limit_bytes) to.set_limit_bytes(*from.limit_bytes);
  if (from.swap_bytes) to.set_swap_bytes(*from.swap_bytes);
  to.set_oom_kills(from.oom_kills);
}

void FillWorkingSet(const WorkingSet& from, Level level, guest::v1::WorkingSet& to) {
  to.set_method(from.method == WorkingSetMethod::kMglru ? guest::v1::WorkingSet::METHOD_MGLRU
                                                        : guest::v1::WorkingSet::METHOD_REFAULT);
  to.set_bytes(from.bytes);
  // How pressed the guest is depends on the thresholds of this watcher.
  to.set_giveable_bytes(level >= Level::kPressed ? 0 : from.giveable_bytes);
  to.set_refault_bytes_per_second(from.refault_bytes_per_second);
  to.set_allocation_stalls_per_second(from.allocation_stalls_per_second);
  to.set_scan_per_steal_percent(from.scan_per_steal_percent);
  to.set_kernel_headroom_bytes(from.kernel_headroom_bytes);
}

void FillMeasuredStalls(const StallCounts& from, guest::v1::ReclaimStalls& to) {
  to.set_source(guest::v1::SOURCE_BPF);
  to.set_count(from.count);
  to.set_total_us(from.total_us);
  for (const uint64_t stalls : from.histogram) to.add_histogram(stalls);
  to.set_longest_us(from.longest_us);
  to.set_cgroup_count(from.cgroup_count);
  to.set_cgroup_total_us(from.cgroup_total_us);
}

void FillCountedStalls(int64_t count, guest::v1::ReclaimStalls& to) {
  to.set_source(guest::v1::SOURCE_COUNTERS);
  to.set_count(static_cast<uint64_t>(count));
}

}  // namespace

void FillSignals(const ReportFacts& facts, guest::v1::Report& report) {
  const Signals& signals = facts.readings.signals;
  for (const kernel::Zone& zone : signals.zones.value_or(kernel::Zones()))
    FillZone(zone, *report.add_zones());
  for (const ZramReading& device : signals.zram) FillZram(device, *report.add_zram());
  const auto& meminfo = facts.readings.meminfo;
  if (meminfo && meminfo->zswap_pool_bytes && meminfo->zswap_stored_bytes) {
    report.mutable_zswap()->set_pool_bytes(*meminfo->zswap_pool_bytes);
    report.mutable_zswap()->set_stored_bytes(*meminfo->zswap_stored_bytes);
  }
  if (signals.swap) FillSwap(*signals.swap, *report.mutable_swap());
  for (const CgroupReading& cgroup : signals.cgroups) FillCgroup(cgroup, *report.add_cgroups());
  if (signals.working_set) {
    FillWorkingSet(*signals.working_set, facts.derived.level, *report.mutable_working_set());
  }
  if (facts.reclaim_stalls) {
    FillMeasuredStalls(*facts.reclaim_stalls, *report.mutable_direct_reclaim());
  } else if (signals.reclaim_stalls) {
    FillCountedStalls(*signals.reclaim_stalls, *report.mutable_direct_reclaim());
  }
  if (facts.blocks) {
    FillSums(*facts.blocks, signals.zones ? &*signals.zones : nullptr, *report.mutable_memory_blocks());
  }
}

}  // namespace ballast::agent
