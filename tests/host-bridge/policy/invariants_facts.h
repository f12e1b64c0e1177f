// What docs/rules.md says of one guest or host, worked out once more for the checks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/host-bridge/policy/world.h"

namespace ballast::policy {

__extension__ typedef __int128 Int128;

struct GuestBounds {
  int64_t floor = 0;
  int64_t baseline = 0;
  int64_t ceiling = 0;
};

[[nodiscard]] bool WasReadLately(MonotonicTime at, MonotonicTime now, Nanos max_age);

// The VMM's reading can be used: fresh, running and consistent.
[[nodiscard]] bool HasVmm(const GuestFacts& facts, const World& world);
// So can the limits; needs HasVmm.
[[nodiscard]] bool HasLimits(const GuestFacts& facts);
// And the agent's report; needs HasVmm.
[[nodiscard]] bool HasReport(const GuestFacts& facts, const World& world);
// Has much of its memory in zram, or says that it could give nothing; needs both.
[[nodiscard]] bool HasNothingToGive(const GuestFacts& facts, const PolicyConfig& config);
[[nodiscard]] bool HasHost(const World& world);

// Need HasVmm and HasLimits.
[[nodiscard]] GuestBounds BoundsOf(const GuestFacts& facts);
// What the VMM says of plugged memory contradicts neither itself nor its base. Needs HasVmm.
[[nodiscard]] bool HasPlug(const GuestFacts& facts);
// Boot memory and all that is plugged, and what it could have at most.
[[nodiscard]] int64_t WholeOf(const GuestFacts& facts);
[[nodiscard]] int64_t ReachOf(const GuestFacts& facts);
// Promised by a plugging that has not arrived, as `history` has it, and by what is plugged and offline.
[[nodiscard]] int64_t ComingOf(const GuestFacts& facts, const GuestHistory& history, const World& world);
[[nodiscard]] int64_t ActualOf(const GuestFacts& facts);
// The balloon last commanded, or actual before the first command.
[[nodiscard]] int64_t TargetOf(const GuestFacts& facts);

// Need HasReport.
[[nodiscard]] int64_t UsableOf(const GuestFacts& facts, const PolicyConfig& config);
[[nodiscard]] int64_t UsedOf(const GuestFacts& facts, const PolicyConfig& config);
[[nodiscard]] int64_t PressedBelow(int64_t usable, const PolicyConfig& config);
[[nodiscard]] int64_t CriticalBelow(int64_t usable, const PolicyConfig& config);

// Needs HasHost. What is kept free for the host.
[[nodiscard]] int64_t ReserveOf(const World& world);

// min(actual, target) - new target: what a decision promises beyond what was there or promised before.
[[nodiscard]] int64_t GrantIn(const World& before, const Decision& decision);
// The same for what is plugged: beyond what was there, asked for or promised.
[[nodiscard]] int64_t GrantIn(const World& before, const PlugDecision& decision);
// What is wrong with the sum of all grants, besides what was promised earlier and has not arrived: they leave
// the host its reserve, of which only critical guests may have half. Unset also when the host is unknown.
[[nodiscard]] std::optional<std::string> WhyGrantsDoNotFit(const World& before, const Outcome& outcome,
                                                           Int128 promised);
// The decision takes: its target is above the standing one.
[[nodiscard]] bool Takes(const World& before, const Decision& decision);
[[nodiscard]] inline bool Takes(const PlugDecision& decision) { return decision.target < decision.from; }

}  // namespace ballast::policy
