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
  const int64_t size = facts.vmm->value.base_bytes - std::max(ActualOf(facts), TargetOf(facts));
  const int64_t pressed = PressedBelow(UsableOf(facts, config), config);
  const int64_t share = static_cast<int64_t>(Int128{size} * config.guest_reserve_permyriad / 10'000);
  const bool is_idle = rule == Rule::kIdleGuest;
  const int64_t of_use =
      is_idle ? static_cast<int64_t>(Int128{used} * config.idle_reserve_permyriad / 10'000) : 0;
  const int64_t reserve = std::max({config.guest_reserve_min_bytes, share, pressed + pressed / 4, of_use});
  return std::min(Int128{size} - BoundsOf(facts).floor, Int128{size} - used - reserve);
}

// Somebody waits for what rules 6 and 7 take: of free pages they may take half at once.
int64_t LargestStep(Rule rule, const GuestFacts& facts, int64_t size, const PolicyConfig& config) {
  const auto share = static_cast<int64_t>(Int128{size} * config.max_step_permyriad / 10'000);
  const int64_t step = std::max(config.max_step_bytes, share);
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
    if (!Takes(before, decision)) continue;
    const GuestFacts& facts = before.snapshot.guests[decision.guest];
    if (!HasVmm(facts, before) || !HasReport(facts, before)) continue;  // I2 has a word on that
    int64_t used = UsedOf(facts, config);
    if (decision.reason.rule == Rule::kIdleGuest) {
      used = std::max(used, RememberedUse(facts.history, before));
      for (const Use& use : used_[decision.guest]) used = std::max(used, use.bytes);
    }
    const int64_t standing = std::max(ActualOf(facts), TargetOf(facts));
    const int64_t step = decision.target.count - standing;
    const int64_t size = facts.vmm->value.base_bytes - standing;
    const int64_t most = LargestStep(decision.reason.rule, facts, size, config);
    const std::string who =
        "guest " + std::to_string(static_cast<int64_t>(decision.guest)) + " gives " + std::to_string(step);
    if (step > most) return who + ", more than the step " + std::to_string(most);
    const Int128 slack = SlackOf(facts, config, used, decision.reason.rule);
    if (Int128{2} * step > slack)
      return who + ", more than half of " + std::to_string(static_cast<int64_t>(slack));
  }
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
    const Broken broken = Look(guests_[i], ActualOf(before.snapshot.guests[i]), before.now);
    if (broken) return "guest " + std::to_string(static_cast<int64_t>(i)) + " " + *broken;
  }
  for (const Decision& decision : outcome.decisions) {
    if (!decision.act) continue;
    guests_[decision.guest].rule = decision.reason.rule;
    if (world_ == World::kAllObey && before.now - *began_ > kRestAfter)
      return "guest " + std::to_string(static_cast<int64_t>(decision.guest)) + " is not left alone" +
             Named(decision.reason.rule);
  }
  return std::nullopt;
}

Broken CheckI9::operator()(const World& before, const Outcome& outcome) {
  book_.resize(before.snapshot.guests.size());
  Int128 promised = 0;
  for (size_t i = 0; i < book_.size(); ++i) {
    const GuestFacts& facts = before.snapshot.guests[i];
    const bool seen = facts.limits.mode != Mode::kOff && HasVmm(facts, before) && HasLimits(facts);
    if (seen) book_[i].actual = BalloonBytes{ActualOf(facts)};
    if (!book_[i].target || !book_[i].actual) continue;
    promised += std::max<int64_t>(0, (*book_[i].actual).count - (*book_[i].target).count);
  }
  for (const Decision& decision : outcome.decisions) {
    if (decision.act) book_[decision.guest].target = decision.target;
  }
  return WhyGrantsDoNotFit(before, outcome, promised);
}

}  // namespace ballast::policy
