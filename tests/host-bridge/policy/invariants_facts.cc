#include "tests/host-bridge/policy/invariants_facts.h"

#include <algorithm>

namespace ballast::policy {
namespace {

constexpr int64_t kLargest = int64_t{1} << 48;
constexpr int64_t kFastest = int64_t{1} << 50;

bool IsShare(int32_t permyriad) { return 0 <= permyriad && permyriad <= 10'000; }

int64_t Share(int64_t bytes, int32_t permyriad) {
  return static_cast<int64_t>(Int128{bytes} * permyriad / 10'000);
}

}  // namespace

bool WasReadLately(MonotonicTime at, MonotonicTime now, Nanos max_age) {
  const Int128 age = Int128{now.ns} - at.ns;
  return -1'000'000'000 <= age && age <= max_age.count;
}

bool HasVmm(const GuestFacts& facts, const World& world) {
  if (!facts.vmm || !WasReadLately(facts.vmm->at, world.now, world.config.vmm_max_age)) return false;
  const VmmReading& vmm = facts.vmm->value;
  return vmm.running && 0 < vmm.base_bytes && vmm.base_bytes <= kLargest && 0 <= vmm.balloon_actual.count &&
         vmm.balloon_actual.count <= vmm.base_bytes;
}

bool HasPlug(const GuestFacts& facts) {
  if (!facts.vmm->value.plug) return false;
  const PlugReading& plug = *facts.vmm->value.plug;
  const auto up_to = [](int64_t bytes, int64_t most) { return 0 <= bytes && bytes <= most; };
  return up_to(plug.most_bytes, kLargest) && up_to(plug.requested_bytes, plug.most_bytes) &&
         up_to(plug.plugged_bytes, plug.most_bytes) && up_to(plug.outside_base_bytes, plug.plugged_bytes) &&
         1 <= plug.unit_bytes && plug.unit_bytes <= kLargest &&
         plug.plugged_bytes - plug.outside_base_bytes < facts.vmm->value.base_bytes;
}

int64_t WholeOf(const GuestFacts& facts) {
  return facts.vmm->value.base_bytes + (HasPlug(facts) ? facts.vmm->value.plug->outside_base_bytes : 0);
}

static int64_t BootOf(const GuestFacts& facts) {
  return WholeOf(facts) - (HasPlug(facts) ? facts.vmm->value.plug->plugged_bytes : 0);
}

int64_t ReachOf(const GuestFacts& facts) {
  return BootOf(facts) + (HasPlug(facts) ? facts.vmm->value.plug->most_bytes : 0);
}

// By the guest's own word: plugged, no more of it offline than before, and MemTotal risen by all but an
// eighth.
static bool HasArrived(const GuestFacts& facts, const PlugHistory& past, const World& world) {
  const PlugReading& plug = *facts.vmm->value.plug;
  if (!HasReport(facts, world) || plug.plugged_bytes < *past.target) return false;
  const GuestReading& reading = facts.report->value;
  const Int128 added = Int128{*past.target} - past.from_bytes;
  const int64_t offline = reading.blocks ? std::min(reading.blocks->offline_bytes, plug.plugged_bytes) : 0;
  return offline <= past.offline_before_bytes &&
         Int128{reading.total_bytes} - past.total_before_bytes >= added - added / 8;
}

int64_t ComingOf(const GuestFacts& facts, const GuestHistory& history, const World& world) {
  if (!HasPlug(facts)) return 0;
  const PlugReading& plug = *facts.vmm->value.plug;
  const bool is_asked = history.plug && history.plug->target && 0 <= *history.plug->target &&
                        *history.plug->target <= plug.most_bytes;
  const bool is_up = is_asked && *history.plug->target > history.plug->from_bytes;
  Int128 promised = 0;
  if (is_up && !HasArrived(facts, *history.plug, world))
    promised = Int128{*history.plug->target} - history.plug->from_bytes;
  const bool has_left = is_asked && *history.plug->target < history.plug->from_bytes &&
                        plug.plugged_bytes <= *history.plug->target;
  const int64_t asked =
      is_asked && !has_left ? std::max(*history.plug->target, plug.requested_bytes) : plug.requested_bytes;
  const Int128 seen = std::max<int64_t>(0, asked - plug.plugged_bytes);
  return static_cast<int64_t>(std::min<Int128>(std::max(promised, seen), int64_t{1} << 62));
}

// Defaults: ceiling = all it could have; baseline = boot memory, or the ceiling where that is lower; floor =
// a quarter of the boot memory and at least 128 MiB, but not above the baseline.
static GuestBounds RawBounds(const GuestFacts& facts) {
  const int64_t base = BootOf(facts);
  const GuestLimits& limits = facts.limits;
  GuestBounds bounds;
  bounds.baseline = limits.baseline_bytes.value_or(std::min(base, limits.ceiling_bytes.value_or(base)));
  bounds.ceiling = limits.ceiling_bytes.value_or(std::max(ReachOf(facts), bounds.baseline));
  bounds.floor = limits.floor_bytes.value_or(std::min(std::max(base / 4, 128 * kMiB), bounds.baseline));
  return bounds;
}

bool HasLimits(const GuestFacts& facts) {
  const GuestBounds bounds = RawBounds(facts);
  return 0 <= bounds.floor && bounds.floor <= bounds.baseline && bounds.baseline <= bounds.ceiling &&
         0 < bounds.ceiling && 1 <= facts.limits.weight && facts.limits.weight <= 10'000;
}

GuestBounds BoundsOf(const GuestFacts& facts) {
  const int64_t base = ReachOf(facts);
  const GuestBounds bounds = RawBounds(facts);
  return {std::min(bounds.floor, base), std::min(bounds.baseline, base), std::min(bounds.ceiling, base)};
}

static bool AreBlocksOf(const GuestFacts& facts, const BlockReading& blocks) {
  return blocks.offline_bytes >= 0 && blocks.movable_bytes >= 0 && blocks.room_bytes.value_or(0) >= 0 &&
         Int128{blocks.offline_bytes} + blocks.movable_bytes <= ReachOf(facts);
}

bool HasReport(const GuestFacts& facts, const World& world) {
  if (!facts.report || !WasReadLately(facts.report->at, world.now, world.config.report_max_age)) return false;
  const GuestReading& reading = facts.report->value;
  const auto is_size = [&](int64_t bytes) { return 0 <= bytes && bytes <= reading.total_bytes; };
  const auto is_rate = [](int64_t rate) { return -kFastest <= rate && rate <= kFastest; };
  const auto is_amount = [](Maybe<int64_t> bytes) { return !bytes || (0 <= *bytes && *bytes <= kLargest); };
  const bool has_good_parts = is_amount(reading.giveable_bytes) && is_amount(reading.zram_left_bytes) &&
                              is_amount(reading.zram_stored_bytes) &&
                              reading.zram_full_in.value_or({}) >= Nanos{} &&
                              is_rate(reading.kernel_headroom_bytes.value_or(0)) &&
                              (!reading.blocks || AreBlocksOf(facts, *reading.blocks));
  return has_good_parts && 0 < reading.total_bytes &&
         Int128{reading.total_bytes} <= Int128{2} * ReachOf(facts) && is_size(reading.available_bytes) &&
         is_size(reading.free_bytes) && IsShare(reading.stall_permyriad) &&
         is_rate(reading.consumption_bytes_per_second) && is_rate(reading.refault_bytes_per_second) &&
         reading.oom_kills >= 0;
}

bool HasNothingToGive(const GuestFacts& facts, const PolicyConfig& config) {
  const GuestReading& reading = facts.report->value;
  const int64_t size = WholeOf(facts) - ActualOf(facts);
  if (reading.zram_stored_bytes > Share(size, config.zram_donor_permyriad)) return true;
  return reading.giveable_bytes &&
         (*reading.giveable_bytes == 0 || *reading.giveable_bytes < config.dead_band_bytes);
}

bool HasHost(const World& world) {
  const auto& host = world.snapshot.host;
  if (!host || !WasReadLately(host->at, world.now, world.config.host_max_age)) return false;
  return 0 < host->value.total_bytes && host->value.total_bytes <= kLargest &&
         0 <= host->value.available_bytes && host->value.available_bytes <= host->value.total_bytes &&
         IsShare(host->value.some_permyriad) && IsShare(host->value.full_permyriad);
}

int64_t ActualOf(const GuestFacts& facts) { return facts.vmm->value.balloon_actual.count; }

int64_t TargetOf(const GuestFacts& facts) {
  const int64_t target = facts.history.target.value_or(facts.vmm->value.balloon_actual).count;
  return std::clamp<int64_t>(target, 0, facts.vmm->value.base_bytes);
}

int64_t UsableOf(const GuestFacts& facts, const PolicyConfig& config) {
  const int64_t total = facts.report->value.total_bytes;
  const int64_t size = WholeOf(facts) - ActualOf(facts);
  const bool keeps_balloon = total > size + config.alignment_bytes;
  return keeps_balloon ? std::max<int64_t>(0, total - ActualOf(facts)) : total;
}

int64_t UsedOf(const GuestFacts& facts, const PolicyConfig& config) {
  return std::max<int64_t>(0, UsableOf(facts, config) - facts.report->value.available_bytes);
}

int64_t PressedBelow(int64_t usable, const PolicyConfig& config) {
  const int64_t share = std::max(Share(usable, config.pressed_permyriad), config.pressed_min_bytes);
  return std::min({share, config.pressed_max_bytes, usable / 2});
}

int64_t CriticalBelow(int64_t usable, const PolicyConfig& config) {
  const int64_t share = std::max(Share(usable, config.critical_permyriad), config.critical_min_bytes);
  return std::min({share, config.critical_max_bytes, PressedBelow(usable, config)});
}

int64_t ReserveOf(const World& world) {
  const int64_t total = world.snapshot.host->value.total_bytes;
  const int64_t share = Share(total, world.config.host_reserve_permyriad);
  return std::min(std::max(share, world.config.host_reserve_min_bytes), total / 2);
}

int64_t GrantIn(const World& before, const Decision& decision) {
  const GuestFacts& facts = before.snapshot.guests[decision.guest];
  return std::max<int64_t>(0, std::min(ActualOf(facts), TargetOf(facts)) - decision.target.count);
}

int64_t GrantIn(const World& before, const PlugDecision& decision) {
  const PlugReading& plug = *before.snapshot.guests[decision.guest].vmm->value.plug;
  return std::max<int64_t>(0, decision.target - std::max(decision.from, plug.plugged_bytes));
}

// A request that says that something will be killed otherwise may draw on the reserve as a critical guest
// may.
template <typename D>
static bool AsksInsteadOfKilling(const World& before, const D& decision) {
  const auto& request = before.snapshot.guests[decision.guest].request;
  return decision.reason.rule == Rule::kMemoryRequest && request && request->urgency == Urgency::kKill;
}

std::optional<std::string> WhyGrantsDoNotFit(const World& before, const Outcome& outcome, Int128 promised) {
  Int128 granted = 0;
  Int128 acting = 0;
  Int128 acting_others = 0;
  Int128 silent = 0;
  const auto add = [&](const auto& decision) {
    const int64_t grant = GrantIn(before, decision);
    const bool critical = outcome.histories[decision.guest].state == GuestState::kCritical ||
                          AsksInsteadOfKilling(before, decision);
    granted += grant;
    if (decision.act) acting += grant;
    if (decision.act && !critical) acting_others += grant;
    const GuestFacts& facts = before.snapshot.guests[decision.guest];
    if (decision.act && !HasReport(facts, before) && !facts.rebooted) silent += grant;
  };
  for (const Decision& decision : outcome.decisions) add(decision);
  for (const PlugDecision& decision : outcome.plugs) add(decision);
  if (!HasHost(before) || granted == 0) return std::nullopt;
  const int64_t available = before.snapshot.host->value.available_bytes;
  const int64_t reserve = ReserveOf(before);
  const auto drawn = static_cast<int64_t>(Int128{reserve} * before.config.critical_draw_permyriad / 10'000);
  const bool leaves_reserve = acting_others == 0 || acting + promised <= available - reserve;
  const bool leaves_margin = silent == 0 || silent + promised <= available - reserve / 4 * 5;
  if (leaves_reserve && leaves_margin && granted + promised <= available - (reserve - drawn))
    return std::nullopt;
  const auto number = [](Int128 value) { return std::to_string(static_cast<int64_t>(value)); };
  return "granted " + number(granted) + " (" + number(acting_others) +
         " of it to guests that are not critical) besides " + number(promised) +
         " promised earlier; the host has " + number(available) + " and keeps " + number(reserve);
}

bool Takes(const World& before, const Decision& decision) {
  return decision.target.count > TargetOf(before.snapshot.guests[decision.guest]);
}

}  // namespace ballast::policy
