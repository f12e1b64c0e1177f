#include "tests/host-bridge/policy/property_fields.h"

#include <type_traits>
#include <utility>

namespace ballast::policy {
namespace {

using Value = std::optional<int64_t>;

template <typename T>
constexpr bool kIsPlain = std::is_integral_v<T> || std::is_enum_v<T>;

template <typename T>
int64_t ToNumber(T value) {
  if constexpr (kIsPlain<T>) {
    return static_cast<int64_t>(value);
  } else if constexpr (std::is_same_v<T, MonotonicTime>) {
    return value.ns;
  } else {
    return value.count;
  }
}
template <typename T>
T FromNumber(int64_t number) {
  if constexpr (kIsPlain<T>) {
    return static_cast<T>(number);
  } else {
    return T{number};
  }
}

template <typename T>
constexpr Unit kUnitOf = Unit::kNumber;
template <>
constexpr Unit kUnitOf<int64_t> = Unit::kBytes;
template <>
constexpr Unit kUnitOf<BalloonBytes> = Unit::kBytes;
template <>
constexpr Unit kUnitOf<Nanos> = Unit::kSpan;
template <>
constexpr Unit kUnitOf<MonotonicTime> = Unit::kSpan;

// Hostile instants may be anywhere: the difference wraps, and comes back the same.
int64_t Wrapped(int64_t a, int64_t b, int sign) {
  const auto left = static_cast<uint64_t>(a);
  const auto right = static_cast<uint64_t>(b);
  return static_cast<int64_t>(sign > 0 ? left + right : left - right);
}

class Fields {
 public:
  // Keys that follow start with this; instants count from `now`.
  void In(std::string prefix, MonotonicTime now = {}) {
    prefix_ = std::move(prefix);
    now_ = now.ns;
  }

  template <typename T>
  void Add(const char* key, T& field, std::type_identity_t<T> neutral = T{}) {
    const int64_t from = std::is_same_v<T, MonotonicTime> ? now_ : 0;
    const int64_t neutral_number = std::is_same_v<T, MonotonicTime> ? -now_ : ToNumber(neutral);
    list_.push_back({prefix_ + key, kUnitOf<T>, Wrapped(ToNumber(field), from, -1), neutral_number,
                     [&field, from](Value v) { field = FromNumber<T>(Wrapped(v.value_or(0), from, 1)); }});
  }
  template <typename T>
  void Add(const char* key, Maybe<T>& field) {
    const int64_t from = std::is_same_v<T, MonotonicTime> ? now_ : 0;
    Value value;
    if (field) value = Wrapped(ToNumber(*field), from, -1);
    list_.push_back({prefix_ + key, kUnitOf<T>, value, std::nullopt, [&field, from](Value v) {
                       field.reset();
                       if (v) field = Maybe<T>(FromNumber<T>(Wrapped(*v, from, 1)));
                     }});
  }
  // Of a reading; one that says nothing else was made just now.
  void Age(const char* key, MonotonicTime& at) {
    Add(key, at);
    list_.back().neutral = 0;
  }
  // True when present.
  template <typename T>
  bool Presence(const char* key, Boxed<T>& part) {
    list_.push_back({prefix_ + key, Unit::kNumber, part ? Value(1) : std::nullopt, std::nullopt,
                     [&part](Value v) {
                       part.reset();
                       if (v) part.emplace();
                     },
                     false, true});
    return part.has_value();
  }
  template <typename T>
  void Count(const char* key, std::vector<T>& list) {
    list_.push_back({prefix_ + key, Unit::kNumber, static_cast<int64_t>(list.size()), std::nullopt,
                     [&list](Value v) { list.resize(static_cast<size_t>(v.value_or(0))); }, true});
  }
  // True when present.
  template <typename T>
  bool Presence(const char* key, std::optional<Sampled<T>>& reading) {
    const MonotonicTime now = {now_};
    list_.push_back({prefix_ + key, Unit::kNumber, reading ? Value(1) : std::nullopt, std::nullopt,
                     [&reading, now](Value v) {
                       reading.reset();
                       if (v) reading.emplace(T{}, now);
                     },
                     false, true});
    return reading.has_value();
  }

  std::vector<Field> Take() { return std::move(list_); }

 private:
  std::string prefix_;
  int64_t now_ = 0;
  std::vector<Field> list_;
};

void AddConfig(Fields& fields, PolicyConfig& c) {
  const PolicyConfig d;
  fields.In("config.");
#define BALLAST_FIELD(name) fields.Add(#name, c.name, d.name)
  BALLAST_FIELD(leave_dwell);
  BALLAST_FIELD(lease);
  BALLAST_FIELD(host_reserve_permyriad);
  BALLAST_FIELD(guest_reserve_min_bytes);
  BALLAST_FIELD(alignment_bytes);
  BALLAST_FIELD(max_step_bytes);
  BALLAST_FIELD(max_step_permyriad);
  BALLAST_FIELD(dead_band_bytes);
  BALLAST_FIELD(inflate_cooldown);
  BALLAST_FIELD(guest_reserve_permyriad);
  BALLAST_FIELD(idle_tax_permyriad);
  BALLAST_FIELD(zram_short_permyriad);
  BALLAST_FIELD(zram_horizon);
  BALLAST_FIELD(zram_donor_permyriad);
  BALLAST_FIELD(kernel_short_bytes);
  BALLAST_FIELD(idle_after);
  BALLAST_FIELD(idle_interval);
  BALLAST_FIELD(idle_regret_window);
  BALLAST_FIELD(idle_max_wait);
  BALLAST_FIELD(working_set_window);
  BALLAST_FIELD(plug_after);
  BALLAST_FIELD(plug_horizon);
  BALLAST_FIELD(plug_patience);
  BALLAST_FIELD(unplug_after);
  BALLAST_FIELD(unplug_patience);
#undef BALLAST_FIELD
}

void AddHistory(Fields& fields, GuestHistory& h) {
#define BALLAST_FIELD(name) fields.Add("history." #name, h.name)
  BALLAST_FIELD(state);
  BALLAST_FIELD(state_since);
  BALLAST_FIELD(comfortable_seen);
  BALLAST_FIELD(pressed_seen);
  BALLAST_FIELD(critical_seen);
  BALLAST_FIELD(target);
  BALLAST_FIELD(last_actual);
  BALLAST_FIELD(progress_since);
  BALLAST_FIELD(progress_actual);
  BALLAST_FIELD(inflate_blocked_until);
  BALLAST_FIELD(next_block);
  BALLAST_FIELD(last_inflate);
  BALLAST_FIELD(silent_since);
  BALLAST_FIELD(shown_target);
  BALLAST_FIELD(recent_peak_bytes);
  BALLAST_FIELD(earlier_peak_bytes);
  BALLAST_FIELD(peak_window_since);
  BALLAST_FIELD(calm_since);
  BALLAST_FIELD(idle_step);
  BALLAST_FIELD(idle_step_at);
  BALLAST_FIELD(idle_wait);
  BALLAST_FIELD(regretted_at);
  BALLAST_FIELD(give_bytes_per_second);
  BALLAST_FIELD(take_bytes_per_second);
  BALLAST_FIELD(last_actual_at);
  BALLAST_FIELD(held_back_since);
  BALLAST_FIELD(grown_on);
  BALLAST_FIELD(missed_at);
#undef BALLAST_FIELD
  if (!fields.Presence("history.plug", h.plug)) return;
#define BALLAST_FIELD(name) fields.Add("history.plug." #name, h.plug->name)
  BALLAST_FIELD(target);
  BALLAST_FIELD(from_bytes);
  BALLAST_FIELD(total_before_bytes);
  BALLAST_FIELD(offline_before_bytes);
  BALLAST_FIELD(seen_bytes);
  BALLAST_FIELD(moved_at);
  BALLAST_FIELD(short_since);
  BALLAST_FIELD(unplug_step_bytes);
  BALLAST_FIELD(blocked_until);
  BALLAST_FIELD(unplug_blocked_until);
  BALLAST_FIELD(next_block);
  BALLAST_FIELD(shown_target);
#undef BALLAST_FIELD
}

void AddPlug(Fields& fields, VmmReading& vmm) {
  if (!fields.Presence("vmm.plug", vmm.plug)) return;
  fields.Add("vmm.plug.plugged", vmm.plug->plugged_bytes);
  fields.Add("vmm.plug.requested", vmm.plug->requested_bytes);
  fields.Add("vmm.plug.most", vmm.plug->most_bytes);
  fields.Add("vmm.plug.unit", vmm.plug->unit_bytes);
  fields.Add("vmm.plug.outside_base", vmm.plug->outside_base_bytes);
  fields.Add("vmm.plug.unplugging", vmm.plug->unplugging);
}

void AddBlocks(Fields& fields, GuestReading& reading) {
  if (!fields.Presence("report.blocks", reading.blocks)) return;
  fields.Add("report.blocks.offline", reading.blocks->offline_bytes);
  fields.Add("report.blocks.movable", reading.blocks->movable_bytes);
  fields.Add("report.blocks.room", reading.blocks->room_bytes);
}

void AddReadings(Fields& fields, GuestFacts& facts) {
  if (fields.Presence("vmm", facts.vmm)) {
    VmmReading& vmm = facts.vmm->value;
    fields.Age("vmm.at", facts.vmm->at);
    fields.Add("vmm.base", vmm.base_bytes);
    fields.Add("vmm.actual", vmm.balloon_actual);
    fields.Add("vmm.running", vmm.running, true);
    fields.Add("vmm.resident", vmm.resident_bytes);
    AddPlug(fields, vmm);
  }
  if (!fields.Presence("report", facts.report)) return;
  GuestReading& reading = facts.report->value;
  fields.Age("report.at", facts.report->at);
  fields.Add("report.total", reading.total_bytes);
  fields.Add("report.available", reading.available_bytes);
  fields.Add("report.free", reading.free_bytes);
  fields.Add("report.consumption", reading.consumption_bytes_per_second);
  fields.Add("report.refault", reading.refault_bytes_per_second);
  fields.Add("report.stall", reading.stall_permyriad);
  fields.Add("report.oom_kills", reading.oom_kills);
  fields.Add("report.pressure_onset", reading.pressure_onset);
  fields.Add("report.kernel_headroom", reading.kernel_headroom_bytes);
  fields.Add("report.giveable", reading.giveable_bytes);
  fields.Add("report.zram_left", reading.zram_left_bytes);
  fields.Add("report.zram_stored", reading.zram_stored_bytes);
  fields.Add("report.zram_full_in", reading.zram_full_in);
  fields.Add("report.zram_refuses", reading.zram_refuses);
  AddBlocks(fields, reading);
}

void AddGuest(Fields& fields, GuestFacts& facts, bool with_history) {
  fields.Add("limits.mode", facts.limits.mode, Mode::kFull);
  fields.Add("limits.weight", facts.limits.weight, 100);
  fields.Add("limits.floor", facts.limits.floor_bytes);
  fields.Add("limits.baseline", facts.limits.baseline_bytes);
  fields.Add("limits.ceiling", facts.limits.ceiling_bytes);
  fields.Add("rebooted", facts.rebooted);
  fields.Add("resumed_at", facts.resumed_at);
  AddReadings(fields, facts);
  if (fields.Presence("request", facts.request)) {
    fields.Add("request.id", facts.request->id);
    fields.Add("request.bytes", facts.request->bytes);
    fields.Add("request.urgency", facts.request->urgency, Urgency::kNormal);
    fields.Add("request.deadline", facts.request->deadline);
  }
  if (with_history) AddHistory(fields, facts.history);
}

void AddHost(Fields& fields, Snapshot& snapshot, bool with_history) {
  if (fields.Presence("host", snapshot.host)) {
    fields.Age("host.at", snapshot.host->at);
    fields.Add("host.total", snapshot.host->value.total_bytes);
    fields.Add("host.available", snapshot.host->value.available_bytes);
    fields.Add("host.some", snapshot.host->value.some_permyriad);
    fields.Add("host.full", snapshot.host->value.full_permyriad);
  }
  if (!with_history) return;
  fields.Add("host_history.state", snapshot.host_history.state);
  fields.Add("host_history.state_since", snapshot.host_history.state_since);
  fields.Add("host_history.pressure_seen", snapshot.host_history.pressure_seen);
  fields.Add("host_history.critical_seen", snapshot.host_history.critical_seen);
}

void AddScene(Fields& fields, Scene& scene, const std::string& prefix, bool first) {
  fields.In(prefix);
  fields.Add("now", scene.now);
  fields.In(prefix, scene.now);
  AddHost(fields, scene.snapshot, first);
  fields.Count("holds", scene.snapshot.reclaim_holds);
  for (size_t i = 0; i < scene.snapshot.reclaim_holds.size(); ++i) {
    ReclaimHold& hold = scene.snapshot.reclaim_holds[i];
    fields.In(prefix + "hold" + std::to_string(i) + ".", scene.now);
    fields.Add("bytes", hold.bytes);
    fields.Add("until", hold.until);
  }
  fields.In(prefix, scene.now);
  fields.Count("guests", scene.snapshot.guests);
  for (size_t i = 0; i < scene.snapshot.guests.size(); ++i) {
    fields.In(prefix + "guest" + std::to_string(i) + ".", scene.now);
    AddGuest(fields, scene.snapshot.guests[i], first);
  }
}

void AddNature(Fields& fields, Nature& nature) {
  fields.Add("used", nature.used_bytes);
  fields.Add("hot", nature.hot_bytes);
  fields.Add("give_bytes_per_second", nature.give_bytes_per_second);
  fields.Add("take_bytes_per_second", nature.take_bytes_per_second);
  fields.Add("deaf", nature.deaf);
  fields.Add("keeps_total", nature.keeps_total);
  fields.Add("report_every", nature.report_every, 1);
}

}  // namespace

std::vector<Field> FieldsOf(Story& story) {
  Fields fields;
  fields.Count("scenes", story.scenes);
  fields.Count("natures", story.natures);
  fields.Add("ticks", story.ticks);
  fields.Add("span", story.span, Seconds(1));
  AddConfig(fields, story.config);
  for (size_t i = 0; i < story.scenes.size(); ++i)
    AddScene(fields, story.scenes[i], "scene" + std::to_string(i) + ".", i == 0);
  for (size_t i = 0; i < story.natures.size(); ++i) {
    fields.In("nature" + std::to_string(i) + ".");
    AddNature(fields, story.natures[i]);
  }
  return fields.Take();
}

std::vector<NameField> NamesOf(Story& story) {
  std::vector<NameField> names;
  for (size_t scene = 0; scene < story.scenes.size(); ++scene) {
    Snapshot& snapshot = story.scenes[scene].snapshot;
    const std::string prefix = "scene" + std::to_string(scene) + ".";
    for (size_t i = 0; i < snapshot.guests.size(); ++i) {
      const std::string index = std::to_string(i);
      names.push_back(
          {prefix + "guest" + index + ".name", &snapshot.guests[i].limits.name, "guest-" + index});
    }
    for (size_t i = 0; i < snapshot.reclaim_holds.size(); ++i) {
      const std::string index = std::to_string(i);
      names.push_back({prefix + "hold" + index + ".name", &snapshot.reclaim_holds[i].name, "hold-" + index});
    }
  }
  return names;
}

}  // namespace ballast::policy
