// What a guest could give: rules 6, 7 and 8 take only from guests at ease whose balloons give the host what
// they take, and leave each of them its use, a reserve, and half of the rest.
#include <algorithm>

#include "host-bridge/policy/arithmetic.h"
#include "host-bridge/policy/rules/plug.h"
#include "host-bridge/policy/rules/taking.h"

namespace ballast::policy {
namespace {

int64_t ReserveOf(const View& view, int64_t size, const PolicyConfig& config) {
  return std::max({config.guest_reserve_min_bytes, ShareOf(size, config.guest_reserve_permyriad),
                   WithMargin(view.thresholds.pressed_available_bytes)});
}

// Free pages are nobody's, but for those the kernel keeps free at any price. What lies beyond is page cache
// that may be needed; it is felt for in steps small enough that undoing one is no oscillation.
int64_t HarmlessStep(const View& view, const Donor& donor, int64_t reserve, const PolicyConfig& config) {
  const int64_t harmless = std::max(Sub(view.reading->free_bytes, reserve), config.idle_probe_bytes);
  return std::min(donor.most_step, harmless);
}

// Rule 8 counts with the most the guest used lately, not with this moment, and never takes more often than
// its last step was watched.
int64_t IdleStepOf(const View& view, const Donor& donor, int64_t reserve, int64_t slack,
                   const PolicyConfig& config) {
  const bool on_its_way = view.target - view.actual >= config.alignment_bytes;
  if (!view.idle_ready || on_its_way) return 0;
  const int64_t step =
      AlignDown(std::min({slack / 2, HarmlessStep(view, donor, reserve, config)}), config.alignment_bytes);
  return step >= config.dead_band_bytes ? step : 0;
}

// Rule 10 goes before rule 8: memory that can leave the guest for good is not put into its balloon.
void AddIdleSteps(const View& view, int64_t reserve, int64_t slack, Donor& donor,
                  const PolicyConfig& config) {
  slack = std::max<int64_t>(0, slack);
  if (view.reading->giveable_bytes) slack = std::min(slack, *view.reading->giveable_bytes);
  if (view.plug) {
    const IdlePlugged idle = IdlePluggedOf(view, slack, HarmlessStep(view, donor, reserve, config), config);
    donor.plugged = view.plug->standing;
    donor.unplug_step = idle.unplug;
    donor.unplug_give = idle.give;
    if (idle.can_leave) return;
  }
  donor.idle_step = IdleStepOf(view, donor, reserve, std::min(donor.floor_slack, slack), config);
}

// A guest that lives on swap already, or says that it has nothing to give. A critical host cannot choose.
bool IsSpared(const View& view, const PolicyConfig& config) {
  if (view.host_state == HostState::kCritical) return false;
  const GuestReading& reading = *view.reading;
  const int64_t size = view.base - view.actual;
  const bool swapped = reading.zram_stored_bytes > ShareOf(size, config.zram_donor_permyriad);
  const bool has_none =
      reading.giveable_bytes && *reading.giveable_bytes < std::max<int64_t>(1, config.dead_band_bytes);
  return swapped || has_none;
}

}  // namespace

bool IsDonor(const View& view, const PolicyConfig& config) {
  const bool at_ease = view.state == GuestState::kComfortable || view.state == GuestState::kIdle;
  // A grant that no longer moves gives nothing any more: the guest at ease has what it needs.
  const bool grant_on_its_way = view.target < view.actual && !view.grant_stuck;
  return view.heard && at_ease && view.may_take && !view.held_back && !grant_on_its_way &&
         !IsSpared(view, config);
}

bool MayGiveForIdleness(const View& view, const PolicyConfig& config) {
  if (!view.idle_ready) return false;
  if (view.plug && view.plug->plugged > 0) return true;
  const int64_t size = view.base - std::max(view.actual, view.target);
  const int64_t kept = ShareOf(view.working_set, config.idle_reserve_permyriad);
  return Sub(size, Add(view.working_set, kept)) / 2 >= config.dead_band_bytes;
}

Reason ReasonToTake(Rule rule, const Donor& donor, const Sampled<GuestReading>& report, int64_t wanted,
                    MonotonicTime now) {
  Reason reason{.rule = rule};
  reason.available_bytes = report.value.available_bytes;
  reason.threshold_bytes = donor.pressed_bytes;
  reason.consumption_bytes_per_second = report.value.consumption_bytes_per_second;
  reason.stall_permyriad = report.value.stall_permyriad;
  reason.wanted_bytes = wanted;
  reason.age = {std::max<int64_t>(0, Elapsed(report.at, now).count)};
  return reason;
}

Donor DonorOf(const View& view, const PolicyConfig& config) {
  const int64_t standing = std::max(view.actual, view.target);
  const int64_t size = view.base - standing;
  const int64_t reserve = ReserveOf(view, size, config);
  const int64_t by_use = Sub(size, Add(view.used, reserve));
  // What the kernel keeps for itself is in no MemTotal, so the sum above may promise more than is available.
  const int64_t by_available = Sub(view.reading->available_bytes, Add(standing - view.actual, reserve));
  const int64_t slack = std::max<int64_t>(0, std::min(by_use, by_available));
  Donor donor{.guest = view.index,
              .limits = &view.facts->limits,
              .standing = standing,
              .used = view.used,
              .size = size};
  donor.baseline_slack = std::clamp<int64_t>(view.baseline_balloon - standing, 0, slack);
  donor.floor_slack = std::clamp<int64_t>(view.most_balloon - standing, 0, slack);
  donor.most_step = std::max(config.max_step_bytes, ShareOf(size, config.max_step_permyriad));
  // Somebody waits for it, and free pages are missed by nobody.
  donor.most_step_in_need = std::max(donor.most_step, view.reading->free_bytes / 2);
  donor.pressed_bytes = view.thresholds.pressed_available_bytes;
  const int64_t kept = std::max(reserve, ShareOf(view.working_set, config.idle_reserve_permyriad));
  const int64_t beyond_working_set = Sub(size, Add(view.working_set, kept));
  AddIdleSteps(view, reserve, std::min(slack, beyond_working_set), donor, config);
  return donor;
}

}  // namespace ballast::policy
