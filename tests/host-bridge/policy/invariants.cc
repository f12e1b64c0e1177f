#include "tests/host-bridge/policy/invariants.h"

#include <algorithm>
#include <string>

#include "common/base/text.h"
#include "tests/host-bridge/policy/invariants_facts.h"

namespace ballast::policy {
namespace {

const GuestFacts& FactsOf(const World& world, const Decision& decision) {
  return world.snapshot.guests[decision.guest];
}

Broken Say(const Decision& decision, const std::string& what) {
  return StrCat("guest ", std::to_string(decision.guest), " to ", std::to_string(decision.target.count),
                " by rule ", std::to_string(static_cast<int>(decision.reason.rule)), ": ", what);
}

Broken Say(const PlugDecision& decision, const std::string& what) {
  return StrCat("guest ", std::to_string(decision.guest), " plugged to ", std::to_string(decision.target),
                " by rule ", std::to_string(static_cast<int>(decision.reason.rule)), ": ", what);
}

std::string Number(int64_t value) { return std::to_string(value); }

// The size a plugging leads to, with the balloon where it is or goes, is within the bounds or no further
// outside.
Broken CheckPluggedSize(const World& before, const PlugDecision& decision) {
  const GuestFacts& facts = before.snapshot.guests[decision.guest];
  if (!HasVmm(facts, before) || !HasLimits(facts) || !HasPlug(facts))
    return Say(decision, "nothing is known of its size");
  const PlugReading& plug = *facts.vmm->value.plug;
  const GuestBounds bounds = BoundsOf(facts);
  const int64_t boot = WholeOf(facts) - plug.plugged_bytes;
  if (decision.target < 0 || decision.target > plug.most_bytes)
    return Say(decision, "nothing that the VMM can do");
  const int64_t size = boot + decision.target - std::max(ActualOf(facts), TargetOf(facts));
  if (Takes(decision) && size < bounds.floor) return Say(decision, "below the floor " + Number(bounds.floor));
  // What is still plugged, or on its way, is no growth.
  const bool grows = GrantIn(before, decision) > 0;
  if (grows && boot + decision.target > bounds.ceiling)
    return Say(decision, "above the ceiling " + Number(bounds.ceiling));
  return std::nullopt;
}

}  // namespace

Broken CheckI1(const World& before, const Outcome& outcome) {
  for (const Decision& decision : outcome.decisions) {
    const GuestFacts& facts = FactsOf(before, decision);
    if (!HasVmm(facts, before) || !HasLimits(facts)) return Say(decision, "nothing is known of its size");
    const int64_t base = WholeOf(facts);
    const GuestBounds bounds = BoundsOf(facts);
    const int64_t smallest = base - std::max(ActualOf(facts), TargetOf(facts));
    const int64_t largest = base - std::min(ActualOf(facts), TargetOf(facts));
    const int64_t size = base - decision.target.count;
    if (size < 0 || size > base) return Say(decision, "no size at all");
    if (size < std::min(bounds.floor, smallest))
      return Say(decision, "below the floor " + Number(bounds.floor));
    if (size > std::max(bounds.ceiling, largest))
      return Say(decision, "above the ceiling " + Number(bounds.ceiling));
  }
  for (const PlugDecision& decision : outcome.plugs) {
    if (Broken broken = CheckPluggedSize(before, decision)) return broken;
  }
  return std::nullopt;
}

// The same words for both kinds; `takes` for balloons and for what is unplugged.
template <typename D>
static Broken CheckTaken(const World& before, const Outcome& outcome, const D& decision, bool takes) {
  const GuestFacts& facts = before.snapshot.guests[decision.guest];
  const Mode mode = facts.limits.mode;
  if (mode == Mode::kOff) return Say(decision, "mode off");
  if (mode == Mode::kObserve && decision.act) return Say(decision, "acts in mode observe");
  if (!HasVmm(facts, before)) return Say(decision, "the VMM is not known");
  if (!takes) return std::nullopt;
  if (mode == Mode::kGuard) return Say(decision, "takes in mode guard");
  if (!HasReport(facts, before)) return Say(decision, "takes without a good report");
  if (!HasHost(before)) return Say(decision, "takes without knowing the host");
  const bool may_choose = outcome.host_history.state != HostState::kCritical;
  if (may_choose && HasNothingToGive(facts, before.config))
    return Say(decision, "takes from a guest that has nothing to give");
  const bool seen_since = !facts.history.last_inflate || facts.report->at > *facts.history.last_inflate;
  if (!seen_since) return Say(decision, "takes on a report from before the last taking");
  return std::nullopt;
}

Broken CheckI2(const World& before, const Outcome& outcome) {
  for (const PlugDecision& decision : outcome.plugs) {
    if (Broken broken = CheckTaken(before, outcome, decision, Takes(decision))) return broken;
    const bool believes = HasReport(before.snapshot.guests[decision.guest], before);
    if (GrantIn(before, decision) > 0 && !believes) return Say(decision, "plugged without a good report");
    for (const Decision& other : outcome.decisions) {
      if (other.guest == decision.guest) return Say(decision, "and its balloon moves as well");
    }
  }
  for (const Decision& decision : outcome.decisions) {
    const bool known = HasVmm(FactsOf(before, decision), before);
    if (Broken broken = CheckTaken(before, outcome, decision, known && Takes(before, decision)))
      return broken;
  }
  return std::nullopt;
}

// Nothing that is plugged goes on leaving: unless something else was just done for the guest, it is held.
static Broken CheckNothingLeaves(const World& before, const Outcome& outcome, size_t guest) {
  const GuestFacts& facts = before.snapshot.guests[guest];
  const bool acts = facts.limits.mode == Mode::kGuard || facts.limits.mode == Mode::kFull;
  if (!acts || !HasPlug(facts)) return std::nullopt;
  const auto is_its = [&](const auto& decision) { return decision.guest == guest; };
  // A guest outside its limits may have no balloon's target to be given, and the balloon goes first.
  const GuestBounds bounds = BoundsOf(facts);
  const int64_t size = WholeOf(facts) - ActualOf(facts);
  if (size > bounds.ceiling - before.config.alignment_bytes || size < bounds.floor) return std::nullopt;
  const PlugHistory& past = *outcome.histories[guest].plug;
  const int64_t wanted = past.target.value_or(facts.vmm->value.plug->requested_bytes);
  if (std::any_of(outcome.decisions.begin(), outcome.decisions.end(), is_its)) return std::nullopt;
  if (wanted >= facts.vmm->value.plug->plugged_bytes) return std::nullopt;
  return "guest " + Number(static_cast<int64_t>(guest)) + " is critical and still to be unplugged to " +
         Number(wanted);
}

static Broken CheckNothingStaysOnItsWay(const World& before, const Outcome& outcome, size_t guest) {
  const GuestFacts& facts = before.snapshot.guests[guest];
  const bool acts = facts.limits.mode == Mode::kGuard || facts.limits.mode == Mode::kFull;
  if (!acts || TargetOf(facts) <= ActualOf(facts)) return std::nullopt;
  const GuestBounds bounds = BoundsOf(facts);
  const int64_t base = WholeOf(facts);
  const int64_t unit = before.config.alignment_bytes;
  // Outside its limits, or with no aligned size next to where it is, such a guest cannot be stopped there.
  if (ActualOf(facts) < base - bounds.ceiling || ActualOf(facts) + unit > base - bounds.floor)
    return std::nullopt;
  const int64_t target = outcome.histories[guest].target.value_or(BalloonBytes{}).count;
  if (target < ActualOf(facts) + unit) return std::nullopt;
  return "guest " + Number(static_cast<int64_t>(guest)) + " is critical and still to be inflated to " +
         Number(target);
}

Broken CheckI3(const World& before, const Outcome& outcome) {
  if (!before.config.Validate().empty()) return std::nullopt;  // nothing is decided then
  for (size_t i = 0; i < before.snapshot.guests.size(); ++i) {
    const GuestFacts& facts = before.snapshot.guests[i];
    if (facts.limits.mode == Mode::kOff || !HasVmm(facts, before) || !HasLimits(facts)) continue;
    const bool is_short =
        HasReport(facts, before) &&
        facts.report->value.available_bytes < CriticalBelow(UsableOf(facts, before.config), before.config);
    if (!is_short && outcome.histories[i].state != GuestState::kCritical) continue;
    for (const Decision& decision : outcome.decisions) {
      if (decision.guest == i && Takes(before, decision)) return Say(decision, "it is critical");
    }
    for (const PlugDecision& decision : outcome.plugs) {
      if (decision.guest == i && Takes(decision)) return Say(decision, "it is critical");
    }
    if (Broken broken = CheckNothingStaysOnItsWay(before, outcome, i)) return broken;
    if (is_short) {
      if (Broken broken = CheckNothingLeaves(before, outcome, i)) return broken;
    }
  }
  return std::nullopt;
}

// An answer promises no more than is on its way, or asked for, and none to a guest that is only observed.
static Broken CheckAnswers(const World& before, const Outcome& outcome) {
  for (const Answer& answer : outcome.answers) {
    const GuestFacts& facts = before.snapshot.guests[answer.guest];
    const std::string who = "guest " + Number(static_cast<int64_t>(answer.guest)) + " is promised " +
                            Number(answer.granted_bytes);
    if (!facts.request || answer.request != facts.request->id) return who + " and did not ask";
    if (answer.granted_bytes < 0 || answer.granted_bytes > facts.request->bytes)
      return who + ", not what it asked for";
    if (answer.granted_bytes == 0) continue;
    const bool acts = facts.limits.mode == Mode::kGuard || facts.limits.mode == Mode::kFull;
    if (!acts || !HasVmm(facts, before)) return who + ", and nothing is done for it";
    if (answer.actuator == Actuator::kHotplug) {
      const int64_t coming = ComingOf(facts, outcome.histories[answer.guest], before);
      if (answer.granted_bytes > coming) return who + " and only " + Number(coming) + " are being plugged";
      continue;
    }
    const auto target = outcome.histories[answer.guest].target.value_or(BalloonBytes{ActualOf(facts)});
    if (answer.granted_bytes > ActualOf(facts) - target.count)
      return who + " and only " + Number(ActualOf(facts) - target.count) + " are on their way";
  }
  return std::nullopt;
}

// Of what was promised before this decision. A command that was given up is no promise any more.
static int64_t PluggedOnItsWay(const World& before, const Outcome& outcome, size_t guest) {
  const auto is_its = [&](const PlugDecision& decision) { return decision.guest == guest && decision.act; };
  const auto decided = std::find_if(outcome.plugs.begin(), outcome.plugs.end(), is_its);
  const GuestFacts& facts = before.snapshot.guests[guest];
  if (!facts.history.plug) return ComingOf(facts, facts.history, before);
  const Maybe<int64_t> stands = decided != outcome.plugs.end()  ? decided->from
                                : outcome.histories[guest].plug ? outcome.histories[guest].plug->target
                                                                : std::nullopt;
  GuestHistory history = facts.history;
  if (history.plug->target != stands) history.plug->target.reset();
  return ComingOf(facts, history, before);
}

Broken CheckI4(const World& before, const Outcome& outcome) {
  Int128 on_their_way = 0;
  for (size_t i = 0; i < before.snapshot.guests.size(); ++i) {
    const GuestFacts& facts = before.snapshot.guests[i];
    if (facts.limits.mode == Mode::kOff || !HasVmm(facts, before) || !HasLimits(facts)) continue;
    on_their_way += std::max<int64_t>(0, ActualOf(facts) - TargetOf(facts));
    on_their_way += PluggedOnItsWay(before, outcome, i);
  }
  for (const PlugDecision& decision : outcome.plugs) {
    if (!HasHost(before) && GrantIn(before, decision) > 0)
      return Say(decision, "plugged with the host unknown");
  }
  for (const Decision& decision : outcome.decisions) {
    const bool critical = outcome.histories[decision.guest].state == GuestState::kCritical;
    if (!HasHost(before) && GrantIn(before, decision) > 0 && !critical && !FactsOf(before, decision).rebooted)
      return Say(decision, "a grant with the host unknown");
  }
  if (Broken broken = CheckAnswers(before, outcome)) return broken;
  return WhyGrantsDoNotFit(before, outcome, on_their_way);
}

Broken CheckI6(const World& before, const Outcome& outcome) {
  if (!HasHost(before)) return std::nullopt;
  const HostReading& host = before.snapshot.host->value;
  // Neither short now nor lately: a host in pressure may go down to the floors.
  const bool has_reserve = host.available_bytes > ReserveOf(before) / 4 * 5 + before.config.alignment_bytes &&
                           host.some_permyriad == 0 && host.full_permyriad == 0 &&
                           !before.snapshot.host_history.pressure_seen &&
                           !before.snapshot.host_history.critical_seen;
  if (!has_reserve) return std::nullopt;
  for (const PlugDecision& decision : outcome.plugs) {
    if (Takes(decision) && decision.reason.rule != Rule::kUnplug)
      return Say(decision, "unplugged for others");
  }
  for (const Decision& decision : outcome.decisions) {
    const GuestFacts& facts = FactsOf(before, decision);
    if (!Takes(before, decision)) continue;
    if (WholeOf(facts) - decision.target.count >= BoundsOf(facts).baseline) continue;
    if (decision.reason.rule == Rule::kOperatorHold && !before.snapshot.reclaim_holds.empty()) continue;
    if (decision.reason.rule != Rule::kIdleGuest) return Say(decision, "below its baseline for others");
    World alone = before;
    alone.snapshot.reclaim_holds.clear();
    alone.snapshot.guests = {facts};
    const Outcome own = Decide(alone.snapshot, alone.config, alone.now);
    if (own.decisions.empty() || own.decisions.front().target < decision.target)
      return Say(decision, "below its baseline; alone it would not have been idle");
  }
  return std::nullopt;
}

// The outcome as if the guests had stood in the order of `world`, of which `outcome` sees them rotated by
// `by` or reversed.
static Outcome Reordered(const Outcome& outcome, const std::vector<size_t>& new_of_old) {
  Outcome other = outcome;
  for (size_t i = 0; i < new_of_old.size(); ++i) other.histories[i] = outcome.histories[new_of_old[i]];
  std::vector<size_t> old_of_new(new_of_old.size());
  for (size_t i = 0; i < new_of_old.size(); ++i) old_of_new[new_of_old[i]] = i;
  for (Decision& decision : other.decisions) decision.guest = old_of_new[decision.guest];
  for (Hold& hold : other.holds) hold.guest = old_of_new[hold.guest];
  for (Answer& answer : other.answers) answer.guest = old_of_new[answer.guest];
  for (PlugDecision& plug : other.plugs) plug.guest = old_of_new[plug.guest];
  const auto by_guest = [](const auto& a, const auto& b) { return a.guest < b.guest; };
  std::sort(other.decisions.begin(), other.decisions.end(), by_guest);
  std::sort(other.plugs.begin(), other.plugs.end(), by_guest);
  std::sort(other.holds.begin(), other.holds.end(), by_guest);
  std::sort(other.answers.begin(), other.answers.end(), by_guest);
  return other;
}

static Broken CheckOrder(const World& before, const Outcome& outcome, const std::vector<size_t>& new_of_old) {
  World shuffled = before;
  for (size_t i = 0; i < new_of_old.size(); ++i)
    shuffled.snapshot.guests[new_of_old[i]] = before.snapshot.guests[i];
  std::reverse(shuffled.snapshot.reclaim_holds.begin(), shuffled.snapshot.reclaim_holds.end());
  const Outcome other = Decide(shuffled.snapshot, shuffled.config, shuffled.now);
  if (Reordered(other, new_of_old) != outcome) return "another order of guests gives another outcome";
  return std::nullopt;
}

Broken CheckI7(const World& before, const Outcome& outcome) {
  if (Decide(before.snapshot, before.config, before.now) != outcome)
    return "asked again it decides otherwise";
  const size_t guests = before.snapshot.guests.size();
  std::vector<size_t> reversed(guests);
  std::vector<size_t> rotated(guests);
  for (size_t i = 0; i < guests; ++i) {
    reversed[i] = guests - 1 - i;
    rotated[i] = (i + 1) % guests;
  }
  if (Broken broken = CheckOrder(before, outcome, reversed)) return broken;
  if (Broken broken = CheckOrder(before, outcome, rotated)) return broken;
  // The memory of a decision on twice as many guests, of which some may have been given or taken from.
  World larger = before;
  for (GuestFacts facts : before.snapshot.guests) {
    facts.limits.name += "-twin";
    larger.snapshot.guests.push_back(facts);
  }
  Decider decider;
  static_cast<void>(decider.Decide(larger.snapshot, larger.config, larger.now));
  if (decider.Decide(before.snapshot, before.config, before.now) != outcome)
    return "a Decider that was used before decides otherwise";
  return std::nullopt;
}

}  // namespace ballast::policy
