#include "guest-agent/service/convert.h"

#include "absl/status/status.h"
#include "common/base/text.h"
#include "guest-agent/service/convert_blocks.h"
#include "guest-agent/service/convert_event.h"
#include "guest-agent/service/convert_signals.h"

namespace ballast::agent {
namespace {

using guest::v1::Report;

constexpr int64_t kMaxBytes = int64_t{1} << 62;

struct Range {
  int64_t low = 0;
  int64_t high = 0;
  int64_t unset = 0;  // what a zero means
};

absl::Status Read(std::string_view field, int64_t value, Range range, int64_t& out) {
  if (value == 0) {
    out = range.unset;
    return absl::OkStatus();
  }
  if (value < range.low || value > range.high) {
    return absl::InvalidArgumentError(
        StrCat(field, " is ", value, "; allowed: 0 (default) or ", range.low, "..", range.high));
  }
  out = value;
  return absl::OkStatus();
}

absl::Status ReadMillis(std::string_view field, int64_t value, Range range, Nanos& out) {
  int64_t millis = 0;
  auto status = Read(field, value, range, millis);
  out = Milliseconds(millis);
  return status;
}

absl::Status ReadCadence(const guest::v1::Cadence& wire, Cadence& cadence) {
  auto status = ReadMillis("cadence.quiet_ms", wire.quiet_ms(), {1'000, 60'000, 10'000}, cadence.quiet);
  status.Update(ReadMillis("cadence.armed_ms", wire.armed_ms(), {100, 10'000, 1'000}, cadence.armed));
  status.Update(ReadMillis("cadence.pressed_ms", wire.pressed_ms(), {20, 1'000, 100}, cadence.pressed));
  return status;
}

// All zero: the default. Otherwise a max_bytes of 0 means no upper bound.
absl::Status ReadLimit(std::string_view field, const guest::v1::Limit& wire, Limit& limit) {
  if (wire.permyriad() == 0 && wire.min_bytes() == 0 && wire.max_bytes() == 0) return absl::OkStatus();
  if (wire.permyriad() < 1 || wire.permyriad() > 10'000) {
    return absl::InvalidArgumentError(
        StrCat("thresholds.", field, ".permyriad is ", wire.permyriad(), "; allowed: 1..10000"));
  }
  if (wire.min_bytes() < 0 || wire.min_bytes() > kMaxBytes) {
    return absl::InvalidArgumentError(
        StrCat("thresholds.", field, ".min_bytes is ", wire.min_bytes(), "; allowed: 0..2^62"));
  }
  const int64_t max_bytes = wire.max_bytes() == 0 ? kMaxBytes : wire.max_bytes();
  if (max_bytes < wire.min_bytes() || max_bytes > kMaxBytes) {
    return absl::InvalidArgumentError(StrCat("thresholds.", field, ".max_bytes is ", wire.max_bytes(),
                                             "; allowed: 0 (no bound) or min_bytes..2^62"));
  }
  limit = {wire.permyriad(), wire.min_bytes(), max_bytes};
  return absl::OkStatus();
}

absl::Status ReadThresholds(const guest::v1::Thresholds& wire, Thresholds& limits) {
  auto status = ReadLimit("armed", wire.armed(), limits.armed);
  status.Update(ReadLimit("pressed", wire.pressed(), limits.pressed));
  status.Update(ReadLimit("critical", wire.critical(), limits.critical));
  status.Update(ReadMillis("thresholds.exhaustion_horizon_ms", wire.exhaustion_horizon_ms(), {1, 10'000, 500},
                           limits.exhaustion_horizon));
  int64_t stall = 0;
  status.Update(Read("thresholds.stall_permyriad", wire.stall_permyriad(), {1, 10'000, 1'000}, stall));
  limits.stall_permyriad = static_cast<int32_t>(stall);
  return status;
}

void FillLimit(const Limit& from, guest::v1::Limit& to) {
  to.set_permyriad(from.permyriad);
  to.set_min_bytes(from.min_bytes);
  to.set_max_bytes(from.max_bytes);
}

void FillMeminfo(const kernel::Meminfo& from, guest::v1::Meminfo& to) {
  to.set_total_bytes(from.total_bytes);
  to.set_free_bytes(from.free_bytes);
  to.set_available_bytes(from.available_bytes);
  to.set_cached_bytes(from.cached_bytes.value_or(0));
  to.set_anon_bytes(from.anon_bytes.value_or(0));
  to.set_shmem_bytes(from.shmem_bytes.value_or(0));
  to.set_dirty_bytes(from.dirty_bytes.value_or(0));
  to.set_slab_reclaimable_bytes(from.slab_reclaimable_bytes.value_or(0));
  to.set_slab_unreclaimable_bytes(from.slab_unreclaimable_bytes.value_or(0));
  if (from.swap_total_bytes) to.set_swap_total_bytes(*from.swap_total_bytes);
  if (from.swap_free_bytes) to.set_swap_free_bytes(*from.swap_free_bytes);
  if (from.commit_limit_bytes) to.set_commit_limit_bytes(*from.commit_limit_bytes);
  if (from.committed_bytes) to.set_committed_bytes(*from.committed_bytes);
}

void FillVmstat(const kernel::Vmstat& from, guest::v1::Vmstat& to) {
  if (from.oom_kills) to.set_oom_kills(*from.oom_kills);
  if (from.balloon_inflate_pages) to.set_balloon_inflate_pages(*from.balloon_inflate_pages);
  if (from.balloon_deflate_pages) to.set_balloon_deflate_pages(*from.balloon_deflate_pages);
  if (from.swap_in_pages) to.set_swap_in_pages(*from.swap_in_pages);
  if (from.swap_out_pages) to.set_swap_out_pages(*from.swap_out_pages);
  if (from.major_faults) to.set_major_faults(*from.major_faults);
  if (from.refault_anon_pages) to.set_refault_anon_pages(*from.refault_anon_pages);
  if (from.refault_file_pages) to.set_refault_file_pages(*from.refault_file_pages);
  if (from.scan_kswapd_pages) to.set_scan_kswapd_pages(*from.scan_kswapd_pages);
  if (from.scan_direct_pages) to.set_scan_direct_pages(*from.scan_direct_pages);
  if (from.steal_kswapd_pages) to.set_steal_kswapd_pages(*from.steal_kswapd_pages);
  if (from.steal_direct_pages) to.set_steal_direct_pages(*from.steal_direct_pages);
  if (from.alloc_stalls) to.set_alloc_stalls(*from.alloc_stalls);
}

void FillPsi(const kernel::Psi& from, guest::v1::Psi& to) {
  to.set_some_total_us(from.some.total_us);
  to.set_some_avg10_permyriad(from.some.avg10_permyriad);
  if (!from.full) return;
  to.set_full_total_us(from.full->total_us);
  to.set_full_avg10_permyriad(from.full->avg10_permyriad);
}

void FillDerived(const Derived& from, guest::v1::Derived& to) {
  to.set_consumption_bytes_per_second(from.consumption_bytes_per_second);
  if (from.time_to_exhaustion) {
    to.set_time_to_exhaustion_ms(from.time_to_exhaustion->count / kNanosPerMilli);
  }
  if (from.balloon_bytes) to.set_balloon_bytes(*from.balloon_bytes);
  if (from.pressure_onset) to.set_pressure_onset_ns(from.pressure_onset->ns);
  to.set_recent_stall_permyriad(from.recent_stall_permyriad);
}

guest::v1::Level ToWire(Level level) {
  switch (level) {
    case Level::kQuiet:
      return guest::v1::LEVEL_QUIET;
    case Level::kArmed:
      return guest::v1::LEVEL_ARMED;
    case Level::kPressed:
      return guest::v1::LEVEL_PRESSED;
    case Level::kCritical:
      return guest::v1::LEVEL_CRITICAL;
  }
  return guest::v1::LEVEL_UNSPECIFIED;
}

}  // namespace

absl::StatusOr<WatchSettings> ToSettings(const guest::v1::WatchRequest& request) {
  WatchSettings settings;
  auto status = ReadCadence(request.cadence(), settings.cadence);
  status.Update(ReadThresholds(request.thresholds(), settings.thresholds));
  if (!status.ok()) return status;
  settings.known_verdict_id = request.known_verdict_id();
  settings.known_verdict_generation = request.known_verdict_generation();
  return settings;
}

void FillInfo(const AgentIdentity& identity, MonotonicTime now, guest::v1::GetInfoResponse& info) {
  info.set_agent_version(identity.version);
  info.set_boot_id(identity.machine.boot_id);
  info.set_agent_generation(identity.generation);
  info.set_kernel_release(identity.machine.kernel_release);
  info.set_page_size_bytes(identity.machine.page_size_bytes);
  info.set_monotonic_ns(now.ns);
  for (const Capability& capability : identity.capabilities) {
    auto& wire = *info.add_capabilities();
    wire.set_name(capability.name);
    wire.set_available(capability.reason.empty());
    wire.set_reason(capability.reason);
  }
  for (const SelfCheck& check : identity.self_checks) {
    auto& wire = *info.add_self_checks();
    wire.set_name(check.name);
    wire.set_obtained(check.obtained);
    wire.set_detail(check.detail);
  }
  for (const SignalSource& source : identity.sources) {
    auto& wire = *info.add_sources();
    wire.set_signal(source.signal);
    wire.set_source(ToWire(source.source));
    wire.set_reason(source.reason);
  }
  if (identity.hotplug) FillHotplug(*identity.hotplug, *info.mutable_memory_hotplug());
  if (!identity.machine.balloon) return;
  auto& balloon = *info.mutable_balloon();
  balloon.set_deflate_on_oom(identity.machine.balloon->deflate_on_oom);
  balloon.set_free_page_reporting(identity.machine.balloon->free_page_reporting);
  balloon.set_stats(identity.machine.balloon->stats);
}

void FillReport(const ReportFacts& facts, uint64_t events_lost, Report& report) {
  const Readings& readings = facts.readings;
  report.set_monotonic_ns(readings.at.ns);
  report.set_level(ToWire(facts.derived.level));
  if (readings.meminfo) FillMeminfo(*readings.meminfo, *report.mutable_meminfo());
  if (readings.vmstat) FillVmstat(*readings.vmstat, *report.mutable_vmstat());
  if (readings.psi_memory) FillPsi(*readings.psi_memory, *report.mutable_psi_memory());
  if (readings.psi_io) FillPsi(*readings.psi_io, *report.mutable_psi_io());
  FillDerived(facts.derived, *report.mutable_derived());
  FillSignals(facts, report);
  report.set_events_lost(events_lost);
}

void FillHello(const AgentIdentity& identity, const WatchSettings& in_force, guest::v1::Hello& hello) {
  hello.set_boot_id(identity.machine.boot_id);
  hello.set_agent_generation(identity.generation);
  auto& limits = *hello.mutable_thresholds();
  FillLimit(in_force.thresholds.armed, *limits.mutable_armed());
  FillLimit(in_force.thresholds.pressed, *limits.mutable_pressed());
  FillLimit(in_force.thresholds.critical, *limits.mutable_critical());
  limits.set_exhaustion_horizon_ms(in_force.thresholds.exhaustion_horizon.count / kNanosPerMilli);
  limits.set_stall_permyriad(in_force.thresholds.stall_permyriad);
  auto& cadence = *hello.mutable_cadence();
  cadence.set_quiet_ms(in_force.cadence.quiet.count / kNanosPerMilli);
  cadence.set_armed_ms(in_force.cadence.armed.count / kNanosPerMilli);
  cadence.set_pressed_ms(in_force.cadence.pressed.count / kNanosPerMilli);
}

}  // namespace ballast::agent
