// What a rule sees and what it may say. A rule is a small function from one guest's view to at most one
// proposal. It does not know budgets, other guests or the clamp; asker.cc combines, clamp.cc clamps.
#pragma once

#include <cstdint>
#include <optional>

#include "host-bridge/policy/decide.h"

namespace ballast::policy {

// A guest's hotplug. Sizes in bytes; what is plugged is counted without the boot memory.
struct PlugView {
  int64_t boot = 0;  // what the guest has without anything plugged
  int64_t plugged = 0;
  int64_t unit = 0;       // > 0
  int64_t standing = 0;   // requested, as last commanded
  int64_t most = 0;       // of requested, by the VMM and the ceiling
  int64_t floor = 0;      // of the guest's size
  int64_t coming = 0;     // promised and not yet in use: not plugged, not online, or not in MemTotal
  int64_t leaving = 0;    // asked back and still plugged
  int64_t untouched = 0;  // of what is plugged, what the host has not had to back yet, where that is known
  int64_t undo = 0;       // rule 10: a step that was wrong, to be given back
  bool balloon_empty = false;   // nothing left in it but what the ceiling asks for
  bool resting = false;         // nothing is on its way, or it does not come
  bool stuck = false;           // promised for longer than `plug_patience`, and does not come
  bool refused = false;         // asked back for longer than `unplug_patience`, and does not leave
  bool lost = false;            // commanded, and the VMM shows nothing of it for `resend_after`
  bool blocked = false;         // the last plugging failed not long ago
  bool unplug_blocked = false;  // the last unplugging did
  bool lasts = false;           // pressed with an empty balloon for `plug_after`
  bool may_leave = false;       // rule 10: calm for long enough
};

// One guest with every limit and threshold worked out. Sizes in bytes; 0 <= actual, target <= base <= 2^48.
struct View {
  size_t index = 0;                   // into Snapshot::guests
  const GuestFacts* facts = nullptr;  // outlives the view
  int64_t base = 0;                   // boot memory and all that is plugged
  int64_t actual = 0;                 // balloon, as read back
  int64_t target = 0;                 // balloon, as last commanded; actual before the first command
  int64_t least_balloon = 0;          // base - ceiling; each of the three 0..the VMM's base
  int64_t most_balloon = 0;           // base - floor
  int64_t baseline_balloon = 0;       // base - baseline
  bool heard = false;                 // a fresh and consistent report is there; else `reading` is null
  const GuestReading* reading = nullptr;
  GuestThresholds thresholds;
  int64_t used = 0;                        // without the balloon, wherever the guest's kernel counts that
  int64_t working_set = 0;                 // the most it used lately; >= used
  int64_t zram_missing = 0;                // of the part of its zram that shall stay empty, 5/4 of it
  bool zram_fills = false;                 // little is left of its zram, or will be soon
  bool zram_ends = false;                  // it refuses writes, or is full before a balloon could help
  bool kernel_short = false;               // the zones that serve the kernel are
  int64_t give_bytes_per_second = 0;       // of its balloon, as seen or assumed; > 0
  GuestState level = GuestState::kSilent;  // what this report says
  GuestState state = GuestState::kSilent;  // the same with the dwell
  HostState host_state = HostState::kUnknown;
  Nanos report_age;           // of the last good report, or since the guest was first missed
  bool fall_is_over = false;  // the report's consumption has evidently ended since
  bool missed = false;        // was heard once, and no longer is
  bool lease_over = false;    // missed for longer than the lease
  bool self_shrunk = false;   // rule 3 saw a fall that no command explains
  bool stalled = false;       // rule 4 saw too little progress
  bool held_back = false;     // the VMM holds what the balloon took
  bool settled = false;       // the balloon is where it is wanted and was there at the last look
  bool grant_stuck = false;   // target < actual, and actual has not moved for resend_after
  bool useless = false;       // rule 13: the VMM still holds what the balloon has taken
  bool idle_ready = false;    // rule 8 may take: calm for long enough, and the last step did no harm
  int64_t idle_undo = 0;      // rule 8: a step that was wrong, to be given back
  bool asks = false;          // rule 14: a request that may still be granted
  bool may_take = false;  // not blocked, not cooling, nothing being plugged, and heard since the last taking
  std::optional<PlugView> plug;  // unset: nothing can be plugged into it

  // How fast the guest's programs use up what is available; what is being unplugged is none of their doing.
  [[nodiscard]] int64_t Consumption() const {
    const Boxed<PlugReading>& plugged = facts->vmm->value.plug;
    return fall_is_over || (plugged && plugged->unplugging) ? 0 : reading->consumption_bytes_per_second;
  }
  [[nodiscard]] int64_t Position() const { return actual < target ? actual : target; }
  // Each giving rule needs one of these. Nearly all guests have none nearly always, and need not be asked
  // for.
  [[nodiscard]] bool NothingToGiveFor() const {
    return heard && level < GuestState::kPressed && state < GuestState::kCritical && !self_shrunk &&
           !stalled && !useless && idle_undo == 0 && !facts->rebooted && !asks && !plug;
  }
};

struct Proposal {
  BalloonBytes target;
  BalloonBytes from;
  Reason reason;
  // Rules 9, 10 and 14: what is to be plugged, instead of a balloon's target.
  bool plugs = false;
  int64_t plug_target = 0;
};

using RuleFunction = std::optional<Proposal> (*)(const View&, const PolicyConfig&);

// In order of rank. Each only ever lowers the balloon's target.
[[nodiscard]] std::optional<Proposal> RestartedGuest(const View& view, const PolicyConfig& config);   // 12
[[nodiscard]] std::optional<Proposal> CriticalRelease(const View& view, const PolicyConfig& config);  // 1
[[nodiscard]] std::optional<Proposal> SilentGuest(const View& view, const PolicyConfig& config);      // 2
[[nodiscard]] std::optional<Proposal> BalloonShrank(const View& view, const PolicyConfig& config);    // 3
[[nodiscard]] std::optional<Proposal> StalledBalloon(const View& view, const PolicyConfig& config);   // 4
[[nodiscard]] std::optional<Proposal> PressedGrow(const View& view, const PolicyConfig& config);      // 5
[[nodiscard]] std::optional<Proposal> IdleStepUndone(const View& view, const PolicyConfig& config);   // 8
[[nodiscard]] std::optional<Proposal> UselessBalloon(const View& view, const PolicyConfig& config);   // 13
[[nodiscard]] std::optional<Proposal> MemoryRequested(const View& view, const PolicyConfig& config);  // 14

// What a pressed guest is short of: up to 5/4 of its pressed threshold (with a healthy host, up to what rule
// 8 would leave it), and what it will have eaten and read back before the balloon has given. At least one
// alignment unit. What is missing of the zram that shall stay empty is counted as missing memory, and what
// goes into zram as eaten.
[[nodiscard]] int64_t ShortOf(const View& view, const PolicyConfig& config);

// The same without what only a host with plenty gives: what keeps tasks from being killed.
[[nodiscard]] int64_t DireShortage(const View& view, const PolicyConfig& config);

// What a guest without anything in its balloon is short of: as above, but until a plugging has helped
// (`plug_horizon`).
[[nodiscard]] int64_t PlugShortage(const View& view, const PolicyConfig& config);

// The reason's fields that are the same for every rule.
[[nodiscard]] Reason ReasonFor(Rule rule, const View& view);

}  // namespace ballast::policy
