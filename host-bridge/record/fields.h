// The fields of what Decide takes and returns, listed once: number and name of each are those in
// journal.proto. The journal's two directions, the comparison of a replay and the tests all go by this list.
//
// The structured bindings name every member: a member added to a struct and forgotten here does not compile.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "host-bridge/policy/oom_verdict.h"
#include "host-bridge/policy/outcome.h"
#include "host-bridge/policy/snapshot.h"

namespace ballast::record {

template <typename T>
struct Field {
  int number = 0;
  const char* name = "";
  T& value;
};
template <typename T>
Field(int, const char*, T&) -> Field<T>;

// `S` or `const S`.
template <typename T, typename S>
concept Is = std::same_as<std::remove_const_t<T>, S>;

template <Is<policy::GuestLimits> S>
auto FieldsOf(S& limits) {
  auto& [name, floor, baseline, ceiling, weight, mode] = limits;
  return std::tuple(Field{1, "name", name}, Field{2, "floor_bytes", floor},
                    Field{3, "baseline_bytes", baseline}, Field{4, "ceiling_bytes", ceiling},
                    Field{5, "weight", weight}, Field{6, "mode", mode});
}

template <Is<policy::BlockReading> S>
auto FieldsOf(S& blocks) {
  auto& [offline, movable, room] = blocks;
  return std::tuple(Field{1, "offline_bytes", offline}, Field{2, "movable_bytes", movable},
                    Field{3, "room_bytes", room});
}

template <Is<Sampled<policy::GuestReading>> S>
auto FieldsOf(S& sampled) {
  auto& [reading, at] = sampled;
  auto& [total, available, free, consumption, refault, stall, zram_refuses, oom_kills, onset, kernel_headroom,
         giveable, zram_left, zram_stored, zram_full_in, blocks] = reading;
  return std::tuple(Field{1, "at_age_ns", at}, Field{2, "total_bytes", total},
                    Field{3, "available_bytes", available}, Field{4, "free_bytes", free},
                    Field{5, "consumption_bytes_per_second", consumption},
                    Field{6, "refault_bytes_per_second", refault}, Field{7, "stall_permyriad", stall},
                    Field{8, "oom_kills", oom_kills}, Field{9, "pressure_onset_age_ns", onset},
                    Field{10, "kernel_headroom_bytes", kernel_headroom},
                    Field{11, "giveable_bytes", giveable}, Field{12, "zram_left_bytes", zram_left},
                    Field{13, "zram_stored_bytes", zram_stored}, Field{14, "zram_full_in_ns", zram_full_in},
                    Field{15, "zram_refuses", zram_refuses}, Field{16, "blocks", blocks});
}

template <Is<policy::PlugReading> S>
auto FieldsOf(S& plug) {
  auto& [plugged, requested, most, unit, outside_base, unplugging] = plug;
  return std::tuple(Field{1, "plugged_bytes", plugged}, Field{2, "requested_bytes", requested},
                    Field{3, "most_bytes", most}, Field{4, "unit_bytes", unit},
                    Field{5, "outside_base_bytes", outside_base}, Field{6, "unplugging", unplugging});
}

template <Is<Sampled<policy::VmmReading>> S>
auto FieldsOf(S& sampled) {
  auto& [reading, at] = sampled;
  auto& [base, actual, running, resident, plug] = reading;
  return std::tuple(Field{1, "at_age_ns", at}, Field{2, "base_bytes", base},
                    Field{3, "balloon_actual_bytes", actual}, Field{4, "running", running},
                    Field{5, "resident_bytes", resident}, Field{6, "plug", plug});
}

template <Is<Sampled<policy::HostReading>> S>
auto FieldsOf(S& sampled) {
  auto& [reading, at] = sampled;
  auto& [total, available, some, full] = reading;
  return std::tuple(Field{1, "at_age_ns", at}, Field{2, "total_bytes", total},
                    Field{3, "available_bytes", available}, Field{4, "some_permyriad", some},
                    Field{5, "full_permyriad", full});
}

template <Is<policy::HostHistory> S>
auto FieldsOf(S& history) {
  auto& [state, since, pressure_seen, critical_seen] = history;
  return std::tuple(Field{1, "state", state}, Field{2, "state_since_age_ns", since},
                    Field{3, "pressure_seen_age_ns", pressure_seen},
                    Field{4, "critical_seen_age_ns", critical_seen});
}

template <Is<policy::PlugHistory> S>
auto FieldsOf(S& plug) {
  auto& [target, from, total_before, offline_before, seen, moved_at, short_since, unplug_step, blocked_until,
         unplug_blocked, next_block, shown_target] = plug;
  return std::tuple(Field{1, "target_bytes", target}, Field{2, "from_bytes", from},
                    Field{3, "total_before_bytes", total_before}, Field{4, "seen_bytes", seen},
                    Field{5, "moved_at_age_ns", moved_at}, Field{6, "short_since_age_ns", short_since},
                    Field{7, "unplug_step_bytes", unplug_step},
                    Field{8, "blocked_until_age_ns", blocked_until}, Field{9, "next_block_ns", next_block},
                    Field{10, "shown_target_bytes", shown_target},
                    Field{11, "unplug_blocked_until_age_ns", unplug_blocked},
                    Field{12, "offline_before_bytes", offline_before});
}

template <Is<policy::GuestHistory> S>
auto FieldsOf(S& history) {
  auto& [state, since, comfortable_seen, pressed_seen, critical_seen, target, last_actual, progress_since,
         progress_actual, blocked_until, next_block, last_inflate, silent_since, shown_target, recent_peak,
         earlier_peak, peak_since, calm_since, idle_step, idle_step_at, idle_wait, regretted_at, give, take,
         last_actual_at, held_back_since, grown_on, missed_at, plug] = history;
  return std::tuple(
      Field{1, "state", state}, Field{2, "state_since_age_ns", since},
      Field{3, "comfortable_seen_age_ns", comfortable_seen}, Field{4, "pressed_seen_age_ns", pressed_seen},
      Field{5, "critical_seen_age_ns", critical_seen}, Field{6, "target_bytes", target},
      Field{7, "last_actual_bytes", last_actual}, Field{8, "progress_since_age_ns", progress_since},
      Field{9, "progress_actual_bytes", progress_actual},
      Field{10, "inflate_blocked_until_age_ns", blocked_until}, Field{11, "next_block_ns", next_block},
      Field{12, "last_inflate_age_ns", last_inflate}, Field{13, "silent_since_age_ns", silent_since},
      Field{14, "shown_target_bytes", shown_target}, Field{15, "recent_peak_bytes", recent_peak},
      Field{16, "earlier_peak_bytes", earlier_peak}, Field{17, "peak_window_since_age_ns", peak_since},
      Field{18, "calm_since_age_ns", calm_since}, Field{19, "idle_step_bytes", idle_step},
      Field{20, "idle_step_at_age_ns", idle_step_at}, Field{21, "idle_wait_ns", idle_wait},
      Field{22, "regretted_at_age_ns", regretted_at}, Field{23, "give_bytes_per_second", give},
      Field{24, "take_bytes_per_second", take}, Field{25, "last_actual_at_age_ns", last_actual_at},
      Field{26, "held_back_since_age_ns", held_back_since}, Field{27, "grown_on_age_ns", grown_on},
      Field{28, "missed_at_age_ns", missed_at}, Field{29, "plug", plug});
}

template <Is<policy::GuestFacts> S>
auto FieldsOf(S& facts) {
  auto& [limits, report, vmm, rebooted, request, resumed_at, history] = facts;
  return std::tuple(Field{1, "limits", limits}, Field{2, "report", report}, Field{3, "vmm", vmm},
                    Field{4, "rebooted", rebooted}, Field{5, "resumed_at_age_ns", resumed_at},
                    Field{6, "history", history}, Field{7, "request", request});
}

template <Is<policy::MemoryRequest> S>
auto FieldsOf(S& request) {
  auto& [id, bytes, urgency, deadline] = request;
  return std::tuple(Field{1, "id", id}, Field{2, "bytes", bytes}, Field{3, "urgency", urgency},
                    Field{4, "deadline_age_ns", deadline});
}

template <Is<policy::Answer> S>
auto FieldsOf(S& answer) {
  auto& [guest, request, granted, eta, why, actuator] = answer;
  return std::tuple(Field{1, "guest", guest}, Field{2, "request", request},
                    Field{3, "granted_bytes", granted}, Field{4, "eta_ns", eta}, Field{5, "why", why},
                    Field{6, "actuator", actuator});
}

template <Is<policy::ReclaimHold> S>
auto FieldsOf(S& hold) {
  auto& [name, bytes, until] = hold;
  return std::tuple(Field{1, "name", name}, Field{2, "bytes", bytes}, Field{3, "until_age_ns", until});
}

template <Is<policy::Reason> S>
auto FieldsOf(S& reason) {
  auto& [rule, guest_state, host_state, available, threshold, consumption, stall, wanted, clamped, age,
         zram_left, kernel_headroom] = reason;
  return std::tuple(
      Field{1, "rule", rule}, Field{2, "guest_state", guest_state}, Field{3, "host_state", host_state},
      Field{4, "available_bytes", available}, Field{5, "threshold_bytes", threshold},
      Field{6, "consumption_bytes_per_second", consumption}, Field{7, "stall_permyriad", stall},
      Field{8, "wanted_bytes", wanted}, Field{9, "clamped", clamped}, Field{10, "age_ns", age},
      Field{11, "zram_left_bytes", zram_left}, Field{12, "kernel_headroom_bytes", kernel_headroom});
}

template <Is<policy::Decision> S>
auto FieldsOf(S& decision) {
  auto& [guest, from, target, act, reason, onset] = decision;
  return std::tuple(Field{1, "guest", guest}, Field{2, "from_bytes", from}, Field{3, "target_bytes", target},
                    Field{4, "act", act}, Field{5, "reason", reason},
                    Field{6, "pressure_onset_age_ns", onset});
}

template <Is<policy::PlugDecision> S>
auto FieldsOf(S& plug) {
  auto& [guest, from, target, act, reason] = plug;
  return std::tuple(Field{1, "guest", guest}, Field{2, "from_bytes", from}, Field{3, "target_bytes", target},
                    Field{4, "act", act}, Field{5, "reason", reason});
}

template <Is<policy::OomVerdict> S>
auto FieldsOf(S& verdict) {
  auto& [guest, heard_at, id, generation, source, scope, constraint, advice, pid, comm, cgroup, limit_cgroup,
         asker, order, anon, file, shmem, available, balloon, kernel_zones, late, kills] = verdict;
  return std::tuple(Field{1, "guest", guest}, Field{2, "heard_at_age_ns", heard_at}, Field{3, "id", id},
                    Field{4, "generation", generation}, Field{5, "source", source}, Field{6, "scope", scope},
                    Field{7, "constraint", constraint}, Field{8, "advice", advice}, Field{9, "pid", pid},
                    Field{10, "comm", comm}, Field{11, "cgroup", cgroup},
                    Field{12, "limit_cgroup", limit_cgroup}, Field{13, "asker_comm", asker},
                    Field{14, "order", order}, Field{15, "anon_bytes", anon}, Field{16, "file_bytes", file},
                    Field{17, "shmem_bytes", shmem}, Field{18, "available_bytes", available},
                    Field{19, "balloon_bytes", balloon}, Field{20, "kernel_zones_short", kernel_zones},
                    Field{21, "late", late}, Field{22, "kills", kills});
}

template <Is<policy::Hold> S>
auto FieldsOf(S& hold) {
  auto& [guest, why] = hold;
  return std::tuple(Field{1, "guest", guest}, Field{2, "why", why});
}

template <Is<policy::Snapshot> S>
auto FieldsOf(S& snapshot) {
  auto& [host, host_history, reclaim_holds, guests] = snapshot;
  return std::tuple(Field{3, "host", host}, Field{4, "host_history", host_history},
                    Field{5, "reclaim_holds", reclaim_holds}, Field{7, "guests", guests});
}

template <Is<policy::Outcome> S>
auto FieldsOf(S& outcome) {
  auto& [decisions, plugs, holds, answers, histories, host_history] = outcome;
  return std::tuple(Field{8, "decisions", decisions}, Field{9, "holds", holds},
                    Field{10, "histories", histories}, Field{11, "host_history", host_history},
                    Field{13, "answers", answers}, Field{14, "plugs", plugs});
}

// Structs with a list of fields, as against single values.
template <typename T>
concept HasFields = requires(T& value) {
  FieldsOf(value);
};

// May be absent.
template <typename T>
concept IsOptional = requires(T& value) {
  value.reset();
  value.has_value();
};

// Calls visit(field of a, the same field of b) for each in order.
template <HasFields S, typename T, typename Visit>
void ForEachField(S& a, T& b, Visit&& visit) {
  const auto first = FieldsOf(a);
  const auto second = FieldsOf(b);
  [&]<size_t... i>(std::index_sequence<i...>) { (visit(std::get<i>(first), std::get<i>(second)), ...); }
  (std::make_index_sequence<std::tuple_size_v<decltype(first)>>());
}

// The largest value of each enum, for reading.
template <typename E>
inline constexpr int kLargest = 255;
template <>
inline constexpr int kLargest<policy::Mode> = static_cast<int>(policy::Mode::kFull);
template <>
inline constexpr int kLargest<policy::GuestState> = static_cast<int>(policy::GuestState::kCritical);
template <>
inline constexpr int kLargest<policy::HostState> = static_cast<int>(policy::HostState::kCritical);
template <>
inline constexpr int kLargest<policy::Urgency> = static_cast<int>(policy::Urgency::kKill);
template <>
inline constexpr int kLargest<policy::Refusal> = static_cast<int>(policy::Refusal::kNothingTaken);
template <>
inline constexpr int kLargest<policy::Actuator> = static_cast<int>(policy::Actuator::kHotplug);
template <>
inline constexpr int kLargest<policy::OomSource> = static_cast<int>(policy::OomSource::kBpf);
template <>
inline constexpr int kLargest<policy::OomScope> = static_cast<int>(policy::OomScope::kHost);
template <>
inline constexpr int kLargest<policy::OomConstraint> = static_cast<int>(policy::OomConstraint::kMemcg);
template <>
inline constexpr int kLargest<policy::Hold::Why> = static_cast<int>(policy::Hold::Why::kNoPlugRoom);

}  // namespace ballast::record
