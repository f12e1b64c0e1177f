#include "host-bridge/observe/convert_report.h"

#include <algorithm>
#include <bit>
#include <string_view>

#include "absl/status/status.h"
#include "ballast/guest/v1/guest_agent.pb.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "host-bridge/observe/checker.h"
#include "host-bridge/observe/convert_blocks.h"
#include "host-bridge/observe/convert_memory.h"

namespace ballast::observe {
namespace {

namespace wire = ballast::guest::v1;

// A counter's rate over less than this is noise (the shortest cadence is 20 ms): the last rate stands.
constexpr Nanos kShortestWindow = Milliseconds(20);
constexpr Nanos kOldestOnset = Seconds(600);
// A refused write is told for this long: a report may be replaced by the next before it is looked at.
constexpr Nanos kRefusalStands = Seconds(1);

struct Field {
  std::string_view name;
  int64_t value;
};

void CheckMeminfo(const wire::Meminfo& info, Checker& check) {
  check.InRange("meminfo.total_bytes", info.total_bytes(), 1, kMaxMemory);
  for (const auto& [name, value] :
       {Field{"meminfo.free_bytes", info.free_bytes()},
        Field{"meminfo.available_bytes", info.available_bytes()},
        Field{"meminfo.cached_bytes", info.cached_bytes()}, Field{"meminfo.anon_bytes", info.anon_bytes()},
        Field{"meminfo.shmem_bytes", info.shmem_bytes()}, Field{"meminfo.dirty_bytes", info.dirty_bytes()},
        Field{"meminfo.slab_reclaimable_bytes", info.slab_reclaimable_bytes()},
        Field{"meminfo.slab_unreclaimable_bytes", info.slab_unreclaimable_bytes()},
        Field{"meminfo.swap_total_bytes", info.swap_total_bytes()},
        Field{"meminfo.swap_free_bytes", info.swap_free_bytes()}}) {
    check.InRange(name, value, 0, kMaxMemory);
  }
  check.InRange("meminfo.commit_limit_bytes", info.commit_limit_bytes(), 0, kMaxCount);
  check.InRange("meminfo.committed_bytes", info.committed_bytes(), 0, kMaxCount);
  check.AtMost("meminfo.free_bytes", info.free_bytes(), "total_bytes", info.total_bytes());
  check.AtMost("meminfo.available_bytes", info.available_bytes(), "total_bytes", info.total_bytes());
  if (info.has_swap_total_bytes() && info.has_swap_free_bytes()) {
    check.AtMost("meminfo.swap_free_bytes", info.swap_free_bytes(), "swap_total_bytes",
                 info.swap_total_bytes());
  }
}

// An absent counter reads as 0, which is within range.
void CheckVmstat(const wire::Vmstat& stat, Checker& check) {
  for (const auto& [name, value] : {Field{"vmstat.oom_kills", stat.oom_kills()},
                                    Field{"vmstat.balloon_inflate_pages", stat.balloon_inflate_pages()},
                                    Field{"vmstat.balloon_deflate_pages", stat.balloon_deflate_pages()},
                                    Field{"vmstat.swap_in_pages", stat.swap_in_pages()},
                                    Field{"vmstat.swap_out_pages", stat.swap_out_pages()},
                                    Field{"vmstat.major_faults", stat.major_faults()},
                                    Field{"vmstat.refault_anon_pages", stat.refault_anon_pages()},
                                    Field{"vmstat.refault_file_pages", stat.refault_file_pages()},
                                    Field{"vmstat.scan_kswapd_pages", stat.scan_kswapd_pages()},
                                    Field{"vmstat.scan_direct_pages", stat.scan_direct_pages()},
                                    Field{"vmstat.steal_kswapd_pages", stat.steal_kswapd_pages()},
                                    Field{"vmstat.steal_direct_pages", stat.steal_direct_pages()},
                                    Field{"vmstat.alloc_stalls", stat.alloc_stalls()}}) {
    check.InRange(name, value, 0, kMaxCount);
  }
}

void CheckPsi(std::string_view resource, const wire::Psi& psi, Checker& check) {
  check.InRange(StrCat(resource, ".some_total_us"), psi.some_total_us(), 0, kMaxCount);
  check.InRange(StrCat(resource, ".full_total_us"), psi.full_total_us(), 0, kMaxCount);
  check.InRange(StrCat(resource, ".some_avg10_permyriad"), psi.some_avg10_permyriad(), 0, kPermyriad);
  check.InRange(StrCat(resource, ".full_avg10_permyriad"), psi.full_avg10_permyriad(), 0, kPermyriad);
}

void CheckDerived(const wire::Derived& derived, Checker& check) {
  check.InRange("derived.consumption_bytes_per_second", derived.consumption_bytes_per_second(), -kMaxRate,
                kMaxRate);
  check.InRange("derived.time_to_exhaustion_ms", derived.time_to_exhaustion_ms(), 0, kMaxCount);
  check.InRange("derived.balloon_bytes", derived.balloon_bytes(), 0, kMaxMemory);
  check.InRange("derived.pressure_onset_ns", derived.pressure_onset_ns(), 0, kMaxCount);
  check.InRange("derived.recent_stall_permyriad", derived.recent_stall_permyriad(), 0, kPermyriad);
}

absl::Status CheckReport(const wire::Report& report, const ReportContext& context, const ReportMemory* last) {
  Checker check;
  const int64_t page = context.page_size_bytes;
  if (page < 4 * kKiB || page > 64 * kKiB || !std::has_single_bit(static_cast<uint64_t>(page))) {
    check.Fail("page_size_bytes", page, "is not a power of two within 4 KiB..64 KiB");
  }
  check.InRange("monotonic_ns", report.monotonic_ns(), 0, kMaxCount);
  if (last != nullptr && report.monotonic_ns() < last->guest_ns) {
    check.Fail("monotonic_ns", report.monotonic_ns(),
               StrCat("lies before the last report's ", last->guest_ns));
  }
  if (!report.has_meminfo()) return absl::InvalidArgumentError("meminfo is missing");
  CheckMeminfo(report.meminfo(), check);
  CheckVmstat(report.vmstat(), check);
  CheckPsi("psi_memory", report.psi_memory(), check);
  CheckPsi("psi_io", report.psi_io(), check);
  CheckDerived(report.derived(), check);
  if (check.status().ok()) CheckMemoryParts(report, check);
  CheckBlocks(report, check);
  return check.status();
}

std::optional<int64_t> RefaultPages(const wire::Vmstat& stat) {
  if (!stat.has_refault_anon_pages() && !stat.has_refault_file_pages()) return std::nullopt;
  return stat.refault_anon_pages() + stat.refault_file_pages();
}

// Bytes a second, or nothing when that is beyond any machine. `pages` >= 0, `span` >= kShortestWindow.
std::optional<int64_t> RateOf(int64_t pages, int64_t page_size, Nanos span) {
  const int64_t milliseconds = span.count / Milliseconds(1).count;
  if (pages > kMaxMemory / page_size) return std::nullopt;
  const int64_t bytes = pages * page_size;
  if (bytes / milliseconds > kMaxRate / 1000) return std::nullopt;
  return bytes / milliseconds * 1000 + bytes % milliseconds * 1000 / milliseconds;
}

// Brings `memory` up to date with the zram devices' refused writes; of another agent's memory only what it
// said now counts.
void RememberZram(const std::optional<ZramUse>& use, const ReportMemory* last, ReportMemory& memory) {
  memory.zram_failed_writes.reset();
  memory.zram_refused_ns.reset();
  if (!use) return;
  memory.zram_failed_writes = use->failed_writes;
  if (last == nullptr || !last->zram_failed_writes) return;
  memory.zram_refused_ns = last->zram_refused_ns;
  if (use->failed_writes > *last->zram_failed_writes) memory.zram_refused_ns = memory.guest_ns;
}

void FillMemoryParts(const wire::Report& report, const std::optional<ZramUse>& use,
                     const ReportMemory& memory, policy::GuestReading& reading) {
  reading.kernel_headroom_bytes = KernelHeadroomOf(report);
  if (report.has_working_set()) reading.giveable_bytes = report.working_set().giveable_bytes();
  if (!use) return;
  reading.zram_left_bytes = use->left_bytes;
  reading.zram_stored_bytes = use->stored_bytes;
  reading.zram_full_in = use->full_in;
  reading.zram_refuses =
      memory.zram_refused_ns && memory.guest_ns - *memory.zram_refused_ns <= kRefusalStands.count;
}

absl::StatusOr<ReportMemory> Remember(const wire::Report& report, const ReportContext& context,
                                      const ReportMemory* last) {
  const int64_t now = report.monotonic_ns();
  const auto pages = RefaultPages(report.vmstat());
  ReportMemory fresh{.agent_generation = context.agent_generation,
                     .guest_ns = now,
                     .refault_base_ns = now,
                     .refault_base_pages = pages};
  if (last == nullptr || !pages || !last->refault_base_pages || *pages < *last->refault_base_pages)
    return fresh;
  const Nanos span{now - last->refault_base_ns};
  if (span < kShortestWindow) {
    ReportMemory kept = *last;
    kept.guest_ns = now;
    return kept;
  }
  const auto rate = RateOf(*pages - *last->refault_base_pages, context.page_size_bytes, span);
  if (!rate) {
    return absl::InvalidArgumentError(
        StrCat("vmstat.refault pages = ", *pages, ": rose faster than 2^50 bytes a second"));
  }
  fresh.refault_bytes_per_second = *rate;
  return fresh;
}

Maybe<MonotonicTime> OnsetOf(const wire::Derived& derived, const ReportContext& context) {
  if (!derived.has_pressure_onset_ns() || !context.clock_offset) return std::nullopt;
  const MonotonicTime now = context.received_at;
  const MonotonicTime onset = MonotonicTime{derived.pressure_onset_ns()} + context.clock_offset->offset;
  // An onset just now may seem to lie ahead by as much as the offset is unsure.
  if (onset > now + context.clock_offset->error || now - onset > kOldestOnset) return std::nullopt;
  return std::min(onset, now);
}

}  // namespace

absl::StatusOr<ConvertedReport> ConvertReport(const wire::Report& report, const ReportContext& context,
                                              const std::optional<ReportMemory>& memory) {
  const bool same_agent = memory && memory->agent_generation == context.agent_generation;
  const ReportMemory* last = same_agent ? &*memory : nullptr;
  if (const absl::Status status = CheckReport(report, context, last); !status.ok()) return status;
  auto fresh = Remember(report, context, last);
  if (!fresh.ok()) return fresh.status();
  const std::optional<ZramUse> zram = ZramUseOf(report);
  RememberZram(zram, last, *fresh);

  ConvertedReport converted;
  converted.memory = *fresh;
  policy::GuestReading& reading = converted.reading;
  reading.total_bytes = report.meminfo().total_bytes();
  reading.available_bytes = report.meminfo().available_bytes();
  reading.free_bytes = report.meminfo().free_bytes();
  reading.consumption_bytes_per_second = report.derived().consumption_bytes_per_second();
  reading.refault_bytes_per_second = fresh->refault_bytes_per_second;
  reading.stall_permyriad = report.derived().recent_stall_permyriad();
  reading.oom_kills = report.vmstat().oom_kills();
  reading.pressure_onset = OnsetOf(report.derived(), context);
  FillMemoryParts(report, zram, *fresh, reading);
  reading.blocks = BlocksOf(report);
  return converted;
}

}  // namespace ballast::observe
