// The invariants that look at more than one decision and keep their own record of what was seen and said.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "tests/host-bridge/policy/invariants.h"
#include "tests/host-bridge/policy/invariants_facts.h"

namespace ballast::policy {
namespace {

// What the history that came with the world says the guest used within the last one to two windows.
int64_t RememberedUse(const GuestHistory& history, const World& world) {
  if (!history.peak_window_since) return 0;
  const Int128 age = Int128{world.now.ns} - (*history.peak_window_since).ns;
  const int64_t window = world.config.working_set_window.count;
  if (age < 0 || age >= Int128{2} * window) return 0;
  return age < window ? std::max(history.recent_peak_bytes, history.earlier_peak_bytes)
                      : history.recent_peak_bytes;
}

// Size less what must stay: its use and the guest's reserve, for rule 8 also a share of that use. Negative
// when it has less than that.
Int128 SlackOf(const GuestFacts& facts, const PolicyConfig& config, int64_t used, Rule rule) {
  const int64_t size = WholeOf(facts) - std::max(ActualOf(facts), TargetOf(facts));
  const int64_t pressed = PressedBelow(UsableOf(facts, config), config);
  const int64_t share = static_cast<int64_t>(Int128{size} * config.guest_reserve_permyriad / 10'000);
  const bool is_idle = rule == Rule::kIdleGuest || rule == Rule::kUnplug;
  const int64_t of_use =
      is_idle ? static_cast<int64_t>(Int128{used} * config.idle_reserve_permyriad / 10'000) : 0;
  const int64_t reserve = std::max({config.guest_reserve_min_bytes, share, pressed + pressed / 4, of_use});
  return std::min(Int128{size} - BoundsOf(facts).floor, Int128{size} - used - reserve);
}

// Somebody waits for what rules 6 and 7 take: of free pages they may take half at once.
int64_t LargestStep(Rule rule, const GuestFacts& facts, int64_t size, const PolicyConfig& config) {
  const auto share = static_cast<int64_t>(Int128{size} * config.max_step_permyriad / 10'000);
  const int64_t step = std::max(config.max_step_bytes, share);
  if (rule == Rule::kUnplug) return std::max(step, facts.vmm->value.plug->unit_bytes);
  return rule == Rule::kIdleGuest ? step : std::max(step, facts.report->value.free_bytes / 2);
}

// The balloon is where it is wanted and was there at the last look. While it moves, the VMM and the guest
// speak of different moments, and what the guest uses is not known.
bool IsSettled(const GuestFacts& facts, const PolicyConfig& config) {
  const bool is_there = std::abs(TargetOf(facts) - ActualOf(facts)) < config.alignment_bytes;
  return is_there && facts.history.last_actual == Maybe(BalloonBytes{ActualOf(facts)});
}

}  // namespace

Broken CheckI5::operator()(const World& before, const Outcome& outcome) {
  const PolicyConfig& config = before.config;
  used_.resize(before.snapshot.guests.size());
  // A clock that went back leaves nothing to count from.
  if (before.now < last_now_) used_.assign(used_.size(), {});
  last_now_ = before.now;
  for (size_t i = 0; i < before.snapshot.guests.size(); ++i) {
    const GuestFacts& facts = before.snapshot.guests[i];
    std::deque<Use>& used = used_[i];
    const bool seen = facts.limits.mode != Mode::kOff && HasVmm(facts, before) && HasReport(facts, before);
    if (seen && HasLimits(facts) && IsSettled(facts, config))
      used.push_back({before.now, UsedOf(facts, config)});
    while (!used.empty() && before.now - used.front().at >= config.working_set_window) used.pop_front();
  }
  for (const Decision& decision : outcome.decisions) {
    const GuestFacts& facts = before.snapshot.guests[decision.guest];
    if (!HasVmm(facts, before) || !Takes(before, decision)) continue;
    const int64_t standing = std::max(ActualOf(facts), TargetOf(facts));
    const Taken taken{decision.guest, decision.reason.rule, decision.target.count - standing};
    if (Broken broken = Judge(before, taken)) return broken;
  }
  for (const PlugDecision& decision : outcome.plugs) {
    if (!Takes(decision)) continue;
    const Taken taken{decision.guest, decision.reason.rule, decision.from - decision.target};
    if (Broken broken = Judge(before, taken)) return broken;
  }
  return std::nullopt;
}

Broken CheckI5::Judge(const World& before, const Taken& taken) const {
  const PolicyConfig& config = before.config;
  const GuestFacts& facts = before.snapshot.guests[taken.guest];
  if (!HasVmm(facts, before) || !HasReport(facts, before)) return std::nullopt;  // I2 has a word on that
  int64_t used = UsedOf(facts, config);
  if (taken.rule == Rule::kIdleGuest || taken.rule == Rule::kUnplug) {
    used = std::max(used, RememberedUse(facts.history, before));
    for (const Use& use : used_[taken.guest]) used = std::max(used, use.bytes);
  }
  const int64_t size = WholeOf(facts) - std::max(ActualOf(facts), TargetOf(facts));
  const int64_t most = LargestStep(taken.rule, facts, size, config);
  const std::string who =
      "guest " + std::to_string(static_cast<int64_t>(taken.guest)) + " gives " + std::to_string(taken.bytes);
  if (taken.bytes > most) return who + ", more than the step " + std::to_string(most);
  const Int128 slack = SlackOf(facts, config, used, taken.rule);
  if (Int128{2} * taken.bytes > slack)
    return who + ", more than half of " + std::to_string(static_cast<int64_t>(slack));
  return std::nullopt;
}

namespace {

constexpr int64_t kReversal = 64 * kMiB;
constexpr size_t kMostTurns = 2;
constexpr Nanos kTurnsWithin = Seconds(600);

std::string Named(Rule rule) { return " (rule " + std::to_string(static_cast<int>(rule)) + ")"; }

}  // namespace

// The balloon has gone `back` bytes the other way.
Broken CheckI8::Turn(Guest& guest, int64_t back, MonotonicTime now) const {
  const bool took = guest.direction > 0;
  guest.direction = -guest.direction;
  guest.turns.push_back(now);
  const std::string what = (took ? "gave " : "took ") + std::to_string(back) + Named(guest.rule);
  if (took && world_ != World::kAny) return what + " of what had been taken, and no cache asks for it";
  if (guest.turns.size() <= kMostTurns) return std::nullopt;
  const int64_t span = (now - guest.turns.front()).count / 1'000'000;
  return what + " and so turned back for the third time in " + std::to_string(span) + " ms";
}

Broken CheckI8::Look(Guest& guest, int64_t actual, MonotonicTime now) const {
  while (!guest.turns.empty() && now - guest.turns.front() >= kTurnsWithin) guest.turns.pop_front();
  if (!guest.furthest) guest.furthest = actual;
  const int64_t moved = actual - *guest.furthest;
  if (guest.direction == 0 && std::abs(moved) <= kReversal) return std::nullopt;
  if (guest.direction == 0) guest.direction = moved > 0 ? 1 : -1;
  const int64_t onwards = moved * guest.direction;
  if (onwards < -kReversal) {
    guest.furthest = actual;
    return Turn(guest, -onwards, now);
  }
  if (onwards > 0) guest.furthest = actual;
  return std::nullopt;
}

Broken CheckI8::operator()(const policy::World& before, const Outcome& outcome) {
  guests_.resize(before.snapshot.guests.size());
  if (!began_) began_ = before.now;
  for (size_t i = 0; i < guests_.size(); ++i) {
    const GuestFacts& facts = before.snapshot.guests[i];
    const int64_t plugged = facts.vmm->value.plug ? facts.vmm->value.plug->plugged_bytes : 0;
    any_plug_ = any_plug_ || facts.vmm->value.plug;
    Guest& guest = guests_[i];
    const int64_t given =
        std::clamp<int64_t>(guest.last_actual - ActualOf(facts), 0, std::max<int64_t>(0, guest.lending));
    guest.lending -= given;
    guest.lent += given;
    guest.last_actual = ActualOf(facts);
    const Broken broken = Look(guest, ActualOf(facts) - plugged + guest.lent, before.now);
    if (broken) return "guest " + std::to_string(static_cast<int64_t>(i)) + " " + *broken;
  }
  for (const Decision& decision : outcome.decisions) {
    if (!decision.act) continue;
    guests_[decision.guest].rule = decision.reason.rule;
    if (decision.reason.rule == Rule::kUnplug) guests_[decision.guest].lending += GrantIn(before, decision);
    if (world_ == World::kAllObey && before.now - *began_ > (any_plug_ ? kRestAfter * 2 : kRestAfter))
      return "guest " + std::to_string(static_cast<int64_t>(decision.guest)) + " is not left alone" +
             Named(decision.reason.rule);
  }
  for (const PlugDecision& decision : outcome.plugs) {
    if (!decision.act) continue;
    Guest& guest = guests_[decision.guest];
    guest.rule = decision.reason.rule;
    if (Takes(decision)) guest.lent = std::max<int64_t>(0, guest.lent - (decision.from - decision.target));
    if (world_ == World::kAllObey && before.now - *began_ > kRestAfter * 2)
      return "what is plugged into guest " + std::to_string(static_cast<int64_t>(decision.guest)) +
             " is not left alone" + Named(decision.reason.rule);
  }
  return std::nullopt;
}

// Kept until the guest's own word says that it has arrived, or the VMM was not doing it and it was given up.
int64_t CheckI9::PluggedPromise(const World& before, const Outcome& outcome, size_t guest, bool seen) {
  PlugHistory& book = book_[guest].plug;
  const GuestFacts& facts = before.snapshot.guests[guest];
  const auto book_says = [&] {
    GuestHistory history;
    history.plug = book;
    return history;
  };
  if (seen && !facts.vmm->value.plug) book = {};  // nothing can be plugged into it any more
  if (!seen || !HasPlug(facts)) return book.target ? std::max<int64_t>(0, *book.target - book.from_bytes) : 0;
  const int64_t coming = ComingOf(facts, book_says(), before);
  const GuestHistory& after = outcome.histories[guest];
  const bool not_done = book.target && facts.vmm->value.plug->requested_bytes < *book.target;
  const auto is_its = [&](const PlugDecision& decision) { return decision.guest == guest && decision.act; };
  const auto decided = std::find_if(outcome.plugs.begin(), outcome.plugs.end(), is_its);
  const Maybe<int64_t> stands = decided != outcome.plugs.end() ? decided->from
                                : after.plug                   ? after.plug->target
                                                               : std::nullopt;
  if (not_done && book.target != stands) {
    book.target.reset();
    return ComingOf(facts, book_says(), before);
  }
  const bool up = book.target && *book.target > book.from_bytes;
  if (up && HasReport(facts, before) && coming < *book.target - book.from_bytes) book.target.reset();
  return coming;
}

Broken CheckI9::operator()(const World& before, const Outcome& outcome) {
  book_.resize(before.snapshot.guests.size());
  Int128 promised = 0;
  for (size_t i = 0; i < book_.size(); ++i) {
    const GuestFacts& facts = before.snapshot.guests[i];
    const bool seen = facts.limits.mode != Mode::kOff && HasVmm(facts, before) && HasLimits(facts);
    if (seen) book_[i].actual = BalloonBytes{ActualOf(facts)};
    promised += PluggedPromise(before, outcome, i, seen);
    if (!book_[i].target || !book_[i].actual) continue;
    promised += std::max<int64_t>(0, (*book_[i].actual).count - (*book_[i].target).count);
  }
  for (const Decision& decision : outcome.decisions) {
    if (decision.act) book_[decision.guest].target = decision.target;
  }
  for (const PlugDecision& decision : outcome.plugs) {
    if (!decision.act) continue;
    const GuestFacts& facts = before.snapshot.guests[decision.guest];
    Promise& promise = book_[decision.guest];
    // Sent again it is the same promise.
    if (decision.from == decision.target && promise.plug.target == decision.target) continue;
    promise.plug = {};
    promise.plug.target = decision.target;
    promise.plug.from_bytes = decision.target - (Takes(decision) ? 0 : GrantIn(before, decision));
    if (!facts.report) continue;
    promise.plug.total_before_bytes = facts.report->value.total_bytes;
    const PlugReading& plug = *facts.vmm->value.plug;
    const auto& blocks = facts.report->value.blocks;
    promise.plug.offline_before_bytes = blocks ? std::min(blocks->offline_bytes, plug.plugged_bytes) : 0;
  }
  return WhyGrantsDoNotFit(before, outcome, promised);
}

}  // namespace ballast::policy
