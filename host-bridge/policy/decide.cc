#include "host-bridge/policy/decide.h"

#include <algorithm>
#include <utility>

#include "host-bridge/policy/answer.h"
#include "host-bridge/policy/commitments.h"
#include "host-bridge/policy/planner.h"

namespace ballast::policy {

Planner::Planner(const Snapshot& snapshot, const PolicyConfig& config, MonotonicTime now, PlanMemory& memory)
    : snapshot_(snapshot),
      config_(config),
      now_(now),
      memory_(memory),
      outcome_(memory.outcome),
      host_(AssessHost(snapshot, config, now)),
      hold_(LargestHold(snapshot, now)) {}

void Planner::Run() {
  outcome_.decisions.clear();
  outcome_.plugs.clear();
  outcome_.holds.clear();
  outcome_.answers.clear();
  outcome_.histories.resize(snapshot_.guests.size());
  outcome_.host_history = host_.history;
  memory_.askers.clear();
  memory_.donors.clear();
  memory_.resting.clear();
  for (size_t i = 0; i < snapshot_.guests.size(); ++i) Assess(i);
  Give();
  if (host_.known) Take();
  Sort();
}

void Planner::Assess(size_t index) {
  GuestHistory& history = outcome_.histories[index] = facts(index).history;
  View view;
  std::optional<Hold::Why> hold;
  const bool managed = AssessGuest(facts(index), host_.history.state, config_, now_, view, history, hold);
  if (hold) outcome_.holds.push_back({index, *hold});
  if (!managed) {
    outstanding_ = Add(outstanding_, PromisedUnseen(history));
    // A guest that stands still holds what was taken from it all the same.
    if (hold == Hold::Why::kNotRunning) reclaimed_ = Add(reclaimed_, HeldBy(facts(index)));
    const Refusal why = hold ? RefusalFor(*hold) : Refusal::kNotActing;
    if (IsOpen(facts(index), now_)) Reply(index, 0, why, config_.assumed_give_bytes_per_second);
    return;
  }
  view.index = index;
  CountOnItsWay(view, history);
  const Mode mode = view.facts->limits.mode;
  if (auto give = Combine(view, config_)) {
    memory_.askers.push_back({view, *give});
  } else if (view.asks) {
    ReplyWithoutGrant(view);
  } else if (host_.known && (mode == Mode::kFull || mode == Mode::kObserve) && IsDonor(view, config_)) {
    // With a healthy host and no hold nearly always nothing is missing; then only an idle guest gives.
    const bool only_if_asked = host_.history.state < HostState::kPressure && hold_ == 0;
    if (only_if_asked && !MayGiveForIdleness(view, config_)) {
      memory_.resting.push_back(index);
    } else {
      AddDonor(view, history);
    }
  }
}

void Planner::CountOnItsWay(const View& view, const GuestHistory& history) {
  outstanding_ = Add(outstanding_, std::max<int64_t>(0, view.actual - view.target));
  // A guest only observed has nothing on its way.
  pending_ = Add(pending_, std::max<int64_t>(0, view.target - view.actual));
  if (view.plug) {
    outstanding_ = Add(outstanding_, view.plug->coming);
    pending_ = Add(pending_, view.plug->leaving);
    untouched_ = Add(untouched_, view.plug->untouched);
  } else if (history.plug) {
    outstanding_ = Add(outstanding_, PluggedUnseen(history));
  }
  if (view.facts->limits.mode != Mode::kObserve)
    reclaimed_ = Add(reclaimed_, std::max(view.target, view.actual));
}

// What is on its way for another reason counts.
void Planner::ReplyWithoutGrant(const View& view) {
  const bool observed = view.facts->limits.mode == Mode::kObserve;
  const int64_t coming = observed ? 0 : view.actual - view.Position();
  const Refusal why = view.heard ? Refusal::kNothingTaken : Refusal::kNotHeard;
  if (coming <= 0 && !observed && view.plug && view.plug->coming > 0)
    return ReplyPlugged(view, view.plug->coming, why);
  Reply(view.index, coming, why, view.give_bytes_per_second);
}

void Planner::AddDonor(const View& view, const GuestHistory& history) {
  Donor donor = DonorOf(view, config_);
  if (Misses(history)) {
    donor.floor_slack = std::min(donor.floor_slack, view.reading->free_bytes);
    donor.baseline_slack = std::min(donor.baseline_slack, view.reading->free_bytes);
  }
  const bool idle = donor.idle_step > 0 || donor.unplug_step > 0 || donor.unplug_give > 0;
  if (donor.floor_slack > 0 || idle) memory_.donors.push_back(donor);
}

// Something is missing after all: looks at those guests once more.
void Planner::AddResting() {
  for (const size_t index : memory_.resting) {
    GuestHistory history = facts(index).history;
    View view;
    std::optional<Hold::Why> hold;
    static_cast<void>(AssessGuest(facts(index), host_.history.state, config_, now_, view, history, hold));
    view.index = index;
    AddDonor(view, history);
  }
  memory_.resting.clear();
}

// The guest read back what was taken not long ago: its page cache is in use.
bool Planner::Misses(const GuestHistory& history) const {
  if (!history.missed_at || host_.history.state == HostState::kCritical) return false;
  const Nanos window = {Add(config_.idle_regret_window.count, history.idle_wait.count)};
  return Elapsed(*history.missed_at, now_) < window;
}

// By guest; a guest with a decision needs no word on why nothing was done.
void Planner::Sort() {
  const auto by_guest = [](const auto& a, const auto& b) { return a.guest < b.guest; };
  std::sort(outcome_.decisions.begin(), outcome_.decisions.end(), by_guest);
  std::sort(outcome_.plugs.begin(), outcome_.plugs.end(), by_guest);
  std::sort(outcome_.answers.begin(), outcome_.answers.end(), by_guest);
  std::erase_if(outcome_.holds, [&](const Hold& hold) {
    const auto speaks = [&](const auto& decisions, const auto& decision) {
      return std::binary_search(decisions.begin(), decisions.end(), decision, by_guest);
    };
    return speaks(outcome_.decisions, Decision{.guest = hold.guest}) ||
           speaks(outcome_.plugs, PlugDecision{.guest = hold.guest});
  });
}

struct Decider::Memory : PlanMemory {};

Decider::Decider() : memory_(std::make_unique<Memory>()) {}
Decider::~Decider() = default;
Decider::Decider(Decider&&) noexcept = default;
Decider& Decider::operator=(Decider&&) noexcept = default;

Outcome& Decider::Decide(const Snapshot& snapshot, const PolicyConfig& config, MonotonicTime now) {
  if (memory_->valid != config && config.Validate().empty()) memory_->valid = config;
  if (memory_->valid == config) {
    Planner(snapshot, config, now, *memory_).Run();
  } else {
    HoldEverything(snapshot, memory_->outcome);
  }
  return memory_->outcome;
}

Outcome Decide(const Snapshot& snapshot, const PolicyConfig& config, MonotonicTime now) {
  return std::move(Decider().Decide(snapshot, config, now));
}

}  // namespace ballast::policy
