#include "host-bridge/policy/plug_watch.h"

#include <algorithm>

#include "host-bridge/policy/arithmetic.h"

namespace ballast::policy {
namespace {

// Longer each time, up to max_block; short again after a quiet max_block.
void Block(MonotonicTime& until, PlugHistory& history, const PolicyConfig& config, MonotonicTime now) {
  const bool quiet = Elapsed(until, now) >= config.max_block;
  const Nanos block =
      std::clamp(quiet ? config.first_block : history.next_block, config.first_block, config.max_block);
  until = std::max(until, After(now, block));
  history.next_block = std::min(Nanos{Add(block.count, block.count)}, config.max_block);
}

int64_t OfflineOf(const View& view, int64_t plugged) {
  if (!view.heard || !view.reading->blocks) return 0;
  return std::min(view.reading->blocks->offline_bytes, plugged);
}

// Beyond what was there, or only back to it.
bool IsUp(const PlugHistory& history) { return *history.target >= history.from_bytes; }

// The guest's word counts for what was plugged, the VMM's for what was to leave. Of what is plugged the
// kernel keeps a 64th for the metadata of its pages, and an eighth bounds what else it may keep out of
// MemTotal.
bool HasArrived(const View& view, const PlugReading& reading, const PlugHistory& history) {
  const int64_t plugged = Sub(*history.target, history.from_bytes);
  if (!IsUp(history)) return reading.plugged_bytes <= *history.target;
  const int64_t expected = Add(history.total_before_bytes, plugged - plugged / 8);
  return reading.plugged_bytes >= *history.target && view.heard &&
         OfflineOf(view, reading.plugged_bytes) <= history.offline_before_bytes &&
         view.reading->total_bytes >= expected;
}

// Whether the VMM had its time and the command is to be forgotten: it was not carried out, or not to its end.
bool GaveUp(const PlugReading& reading, const PlugHistory& history) {
  return IsUp(history) ? reading.requested_bytes < *history.target
                       : reading.requested_bytes > *history.target;
}

// Fills what is on its way, by what was commanded or, where that has arrived, by what the VMM was asked for.
void Account(const PlugReading& reading, const PlugHistory& history, PlugView& plug) {
  plug.standing = history.target.value_or(reading.requested_bytes);
  const bool up = history.target && IsUp(history);
  const int64_t unseen = up ? Sub(*history.target, history.from_bytes) : 0;
  const int64_t asked = std::max(plug.standing, reading.requested_bytes);
  plug.coming = std::max(unseen, asked - plug.plugged);
  plug.leaving = std::max<int64_t>(0, plug.plugged - plug.standing);
}

// Blocks that are offline while nothing was commanded are nobody's business: their admin took them, or they
// cannot come online.
bool IsAtRest(const PlugReading& reading, const PlugHistory& history) {
  return !history.target && reading.requested_bytes == reading.plugged_bytes;
}

// What has moved the wrong way is no progress: a guest whose word goes back and forth would never be late.
void WatchProgress(int64_t seen, bool up, bool at_rest, PlugHistory& history, MonotonicTime now) {
  const bool moved = at_rest || (up ? seen > history.seen_bytes : seen < history.seen_bytes);
  if (moved) history.seen_bytes = seen;
  if (moved || history.moved_at > now) history.moved_at = now;
}

void WatchShortage(const View& view, PlugHistory& history, MonotonicTime now) {
  const bool is_short = view.heard && view.level >= GuestState::kPressed && view.plug->balloon_empty;
  if (!is_short) {
    history.short_since.reset();
  } else if (!history.short_since || *history.short_since > now) {
    history.short_since = now;
  }
}

}  // namespace

const PlugReading* BelievedPlug(const VmmReading& reading) {
  if (!reading.plug) return nullptr;
  const PlugReading& plug = *reading.plug;
  const auto within = [](int64_t value, int64_t most) { return value >= 0 && value <= most; };
  const bool good = within(plug.most_bytes, kLargestSize) && within(plug.plugged_bytes, plug.most_bytes) &&
                    within(plug.requested_bytes, plug.most_bytes) &&
                    within(plug.outside_base_bytes, plug.plugged_bytes) && plug.unit_bytes > 0 &&
                    plug.unit_bytes <= kLargestSize &&
                    plug.plugged_bytes - plug.outside_base_bytes < reading.base_bytes;
  return good ? &plug : nullptr;
}

void WatchPlug(const PlugReading& reading, int64_t ceiling, int64_t floor, View& view, GuestHistory& history,
               const PolicyConfig& config, MonotonicTime now) {
  if (!history.plug) history.plug.emplace().moved_at = now;
  PlugHistory& past = *history.plug;
  PlugView& plug = view.plug.emplace();
  plug.boot = view.base - reading.plugged_bytes;
  plug.plugged = reading.plugged_bytes;
  plug.unit = reading.unit_bytes;
  plug.floor = floor;
  plug.most = std::min(reading.most_bytes, std::max<int64_t>(0, Sub(ceiling, plug.boot)));
  const Maybe<int64_t> resident = view.facts->vmm->value.resident_bytes;
  if (resident)
    plug.untouched = std::clamp<int64_t>(Sub(view.base - view.actual, *resident), 0, plug.plugged);
  plug.balloon_empty = std::max(view.actual, view.target) - view.least_balloon < config.alignment_bytes;
  // The VMM can no longer do what was asked of it.
  if (past.target && (*past.target < 0 || *past.target > reading.most_bytes)) past.target.reset();
  const int64_t offline = OfflineOf(view, plug.plugged);
  if (past.target && HasArrived(view, reading, past)) past.target.reset();
  const bool up = past.target ? IsUp(past) : reading.requested_bytes >= plug.plugged;
  WatchProgress(plug.plugged - offline, up, IsAtRest(reading, past), past, now);
  const Nanos quiet = Elapsed(past.moved_at, now);
  const bool late = quiet > (up ? config.plug_patience : config.unplug_patience);
  if (late && past.target && GaveUp(reading, past)) {
    past.target.reset();
    Block(up ? past.blocked_until : past.unplug_blocked_until, past, config, now);
  }
  Account(reading, past, plug);
  plug.stuck = late && up && plug.leaving == 0 && !IsAtRest(reading, past);
  // What does not come holds nothing up for ever, and once for each time that it stood still.
  if (plug.stuck && past.blocked_until <= After(past.moved_at, config.plug_patience))
    Block(past.blocked_until, past, config, now);
  plug.resting = IsAtRest(reading, past) || plug.stuck;
  plug.refused = late && !up && plug.leaving > 0;
  if (plug.refused) Block(past.unplug_blocked_until, past, config, now);
  plug.lost = past.target && up && GaveUp(reading, past) && quiet >= config.resend_after;
  plug.blocked = past.blocked_until > now;
  plug.unplug_blocked = past.unplug_blocked_until > now;
  WatchShortage(view, past, now);
  plug.lasts = past.short_since && Elapsed(*past.short_since, now) >= config.plug_after;
  if (!history.idle_step_at) plug.undo = std::max<int64_t>(0, past.unplug_step_bytes);
  // A unit is more than rule 8 feels for: one that was missed is not tried again soon.
  const Nanos again = std::max(config.unplug_after * 2, history.idle_wait);
  const Nanos needed = history.idle_wait.count > 0 ? again : config.unplug_after;
  const bool long_calm = history.calm_since && Elapsed(*history.calm_since, now) >= needed;
  plug.may_leave = view.idle_ready && long_calm;
  view.may_take = view.may_take && plug.resting;
}

// All that is offline, of whatever: it may be more than what is plugged as yet.
void NoteBefore(const GuestReading* reading, PlugHistory& history) {
  history.total_before_bytes = reading != nullptr ? reading->total_bytes : 0;
  history.offline_before_bytes = reading != nullptr && reading->blocks ? reading->blocks->offline_bytes : 0;
}

}  // namespace ballast::policy
