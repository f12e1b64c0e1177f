// The order of a decision: assess the host and every guest, ask the giving rules in order of rank, hand out
// what the host can spare, take what is still missing, remember. One pass over the guests, and a second look
// at those that could give when something is missing; what later steps need is kept in short lists.
#include "host-bridge/policy/decide.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "host-bridge/policy/answer.h"
#include "host-bridge/policy/arithmetic.h"
#include "host-bridge/policy/asker.h"
#include "host-bridge/policy/assess.h"
#include "host-bridge/policy/clamp.h"
#include "host-bridge/policy/commitments.h"
#include "host-bridge/policy/rules/rule.h"
#include "host-bridge/policy/rules/taking.h"

namespace ballast::policy {

// Lists whose memory is used again from one decision to the next.
struct Decider::Memory {
  std::optional<PolicyConfig> valid;  // the configuration that was found valid last
  Outcome outcome;
  std::vector<Asker> askers;
  std::vector<Donor> donors;
  std::vector<size_t> resting;  // guests that may be donors, should anything turn out to be missing
  std::vector<Donor*> real;     // of guests in mode full
  std::vector<Donor*> shown;    // those, and the ones in mode observe
  std::vector<Share> shares;
  std::vector<Taking> takings;
};

namespace {

template <typename Memory>
class Planner {
 public:
  Planner(const Snapshot& snapshot, const PolicyConfig& config, MonotonicTime now, Memory& memory)
      : snapshot_(snapshot),
        config_(config),
        now_(now),
        memory_(memory),
        outcome_(memory.outcome),
        host_(AssessHost(snapshot, config, now)),
        hold_(LargestHold(snapshot, now)) {}

  void Run() {
    outcome_.decisions.clear();
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

 private:
  [[nodiscard]] const GuestFacts& facts(size_t guest) const { return snapshot_.guests[guest]; }

  void Assess(size_t index) {
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
    outstanding_ = Add(outstanding_, std::max<int64_t>(0, view.actual - view.target));
    // A guest only observed has nothing on its way.
    pending_ = Add(pending_, std::max<int64_t>(0, view.target - view.actual));
    const Mode mode = view.facts->limits.mode;
    if (mode != Mode::kObserve) reclaimed_ = Add(reclaimed_, std::max(view.target, view.actual));
    if (auto give = Combine(view, config_)) {
      memory_.askers.push_back({view, *give});
    } else if (view.asks) {
      const int64_t coming = mode == Mode::kObserve ? 0 : view.actual - view.Position();
      Reply(index, coming, view.heard ? Refusal::kNothingTaken : Refusal::kNotHeard,
            view.give_bytes_per_second);
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

  void AddDonor(const View& view, const GuestHistory& history) {
    Donor donor = DonorOf(view, config_);
    if (Misses(history)) {
      donor.floor_slack = std::min(donor.floor_slack, view.reading->free_bytes);
      donor.baseline_slack = std::min(donor.baseline_slack, view.reading->free_bytes);
    }
    if (donor.floor_slack > 0 || donor.idle_step > 0) memory_.donors.push_back(donor);
  }

  // Something is missing after all: looks at those guests once more.
  void AddResting() {
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
  [[nodiscard]] bool Misses(const GuestHistory& history) const {
    if (!history.missed_at || host_.history.state == HostState::kCritical) return false;
    const Nanos window = {Add(config_.idle_regret_window.count, history.idle_wait.count)};
    return Elapsed(*history.missed_at, now_) < window;
  }

  void Give() {
    if (host_.known) spare_ = Sub(host_.available, outstanding_);
    std::sort(memory_.askers.begin(), memory_.askers.end(), ServedBefore);
    for (Asker& asker : memory_.askers) Settle(asker);
  }

  // What may still be granted to the guest.
  [[nodiscard]] int64_t BudgetFor(const Asker& asker) const {
    const View& view = asker.view;
    if (!host_.known) return 0;
    // Nothing can be taken back from a silent guest, so no grant to one puts the host under pressure.
    // What would only be nice comes from what is plenty.
    const bool keeps_it = (!view.heard && !view.facts->rebooted) || asker.Requests(Urgency::kLow);
    const int64_t kept = keeps_it ? WithMargin(host_.reserve) : host_.reserve;
    const int64_t budget = std::max<int64_t>(0, Sub(spare_, kept));
    const bool kills = asker.Requests(Urgency::kKill);
    const bool urgent = view.heard && (view.level == GuestState::kCritical || kills);
    if (!urgent || view.facts->history.grown_on == Maybe(view.facts->report->at)) return budget;
    // One that is about to have a task killed need not wait until others have filled the reserve again: once
    // a report, what it is short of, beside what is on its way, may come out of it. Its full release may not.
    const int64_t untouched = host_.reserve - ShareOf(host_.reserve, config_.critical_draw_permyriad);
    const int64_t short_of =
        kills ? view.facts->request->bytes : Sub(DireShortage(view, config_), view.actual - view.Position());
    return std::max(budget, std::min(short_of, Sub(spare_, untouched)));
  }

  void Settle(Asker& asker) {
    const View& view = asker.view;
    Proposal& give = asker.give;
    const int64_t wanted = ClampGive(view, give.target.count, config_);
    // A certain death outranks a possible shortage: with the host unknown a critical guest is still served,
    // and one that boots into a target of its former life.
    const bool restarted = view.facts->rebooted;
    const bool unlimited = !host_.known && (restarted || view.state == GuestState::kCritical);
    const int64_t target = unlimited ? wanted : FitBudget(view, wanted, BudgetFor(asker), config_);
    const int64_t grant = GrantOf(view, target);
    if (!unlimited) spare_ = Sub(spare_, grant);
    if (view.asks) {
      const Refusal why = WhyNotAll(asker, GrantOf(view, wanted) > grant);
      Reply(view.index, asker.acts() ? grant : 0, why, view.give_bytes_per_second);
    }
    if (asker.acts() && !asker.Requests(Urgency::kLow)) {
      // A guest is owed up to its baseline; what it wants above that is no demand on others.
      const int64_t owed = GrantOf(view, std::max(wanted, view.baseline_balloon));
      unmet_ = Add(unmet_, std::max<int64_t>(0, owed - grant));
    }
    give.reason.clamped = target > AlignDown(give.target.count, config_.alignment_bytes);
    const bool send_again = target == view.target && (view.grant_stuck || restarted) && asker.acts();
    if (target < view.target || send_again) RecordGiving(asker, target);
  }

  [[nodiscard]] Refusal WhyNotAll(const Asker& asker, bool cut) const {
    if (!asker.acts()) return Refusal::kNotActing;
    return !cut ? Refusal::kNothingTaken : host_.known ? Refusal::kHostShort : Refusal::kHostUnknown;
  }

  void Reply(size_t guest, int64_t granted, Refusal why, int64_t give_bytes_per_second) {
    const auto answer = AnswerTo(facts(guest), guest, granted, why, give_bytes_per_second, config_, now_);
    if (answer) outcome_.answers.push_back(*answer);
  }

  void RecordGiving(const Asker& asker, int64_t target) {
    const View& view = asker.view;
    GuestHistory& history = outcome_.histories[view.index];
    Decision decision{.guest = view.index,
                      .from = asker.give.from,
                      .target = {target},
                      .act = asker.acts(),
                      .reason = asker.give.reason};
    if (view.reading != nullptr) decision.pressure_onset = view.reading->pressure_onset;
    if (!asker.acts()) return Show(decision, history);
    history.progress_since = now_;
    history.progress_actual = {view.actual};
    history.target = BalloonBytes{target};
    const Rule rule = asker.give.reason.rule;
    const bool answers = rule == Rule::kPressedGrow || rule == Rule::kIdleGuest;
    const bool drew = rule == Rule::kCriticalRelease || asker.Requests(Urgency::kKill);
    const bool answered = (answers && !asker.give.reason.clamped) || drew;
    if (view.heard && answered) history.grown_on = view.facts->report->at;
    if (rule == Rule::kMemoryRequest) {
      // What it asked for is not free, it is about to be used.
      MonotonicTime& until = history.inflate_blocked_until;
      until = std::max(until, After(now_, config_.first_block));
    }
    history.idle_step = {};  // part of what it would undo is back already
    const auto pending = [&](int64_t of) { return std::max<int64_t>(0, of - view.actual); };
    pending_ -= pending(view.target) - pending(target);
    outcome_.decisions.push_back(decision);
  }

  // Of a guest in mode observe: what would be done, once.
  void Show(const Decision& decision, GuestHistory& history) {
    if (history.shown_target != Maybe(decision.target)) outcome_.decisions.push_back(decision);
    history.shown_target = decision.target;
  }

  // What must still come in: up to 5/4 of the reserve when the host is short, and what was owed but could not
  // be given; less what is on its way.
  [[nodiscard]] int64_t Missing() const {
    int64_t missing = unmet_;
    if (host_.history.state >= HostState::kPressure) {
      missing = Add(missing, std::max<int64_t>(0, WithMargin(host_.reserve) - host_.available));
    }
    return Sub(missing, pending_);
  }

  void Take() {
    const int64_t missing = Missing();
    if (missing > 0) AddResting();
    if (memory_.donors.empty()) return;
    // Other guests alone push nobody below the baseline; only a host that is short itself does.
    const DownTo limit = host_.history.state >= HostState::kPressure ? DownTo::kFloor : DownTo::kBaseline;
    if (missing > 0) TakeFor(Rule::kHostPressure, missing, limit);
    const int64_t not_held = Sub(hold_, reclaimed_);
    if (not_held > 0) TakeFor(Rule::kOperatorHold, not_held, DownTo::kFloor);
    for (Donor& donor : memory_.donors) {
      if (donor.idle_step > 0 && !donor.taken)
        RecordTaking(Rule::kIdleGuest, donor, donor.idle_step, donor.idle_step);
    }
  }

  void TakeFor(Rule rule, int64_t wanted, DownTo limit) {
    memory_.real.clear();
    memory_.shown.clear();
    for (Donor& donor : memory_.donors) {
      if (donor.taken) continue;
      if (donor.limits->mode == Mode::kFull) memory_.real.push_back(&donor);
      memory_.shown.push_back(&donor);
    }
    // What an observed guest would have to give, were it one of the donors.
    if (memory_.shown.size() > memory_.real.size())
      TakeFrom(memory_.shown, Mode::kObserve, rule, wanted, limit);
    TakeFrom(memory_.real, Mode::kFull, rule, wanted, limit);
  }

  void TakeFrom(const std::vector<Donor*>& donors, Mode mode, Rule rule, int64_t wanted, DownTo limit) {
    ShareOut(donors, wanted, limit, config_, memory_.shares, memory_.takings);
    for (const Taking& taking : memory_.takings) {
      if (taking.donor->limits->mode == mode) RecordTaking(rule, *taking.donor, taking.bytes, wanted);
    }
  }

  void RecordTaking(Rule rule, Donor& donor, int64_t bytes, int64_t wanted) {
    // The slack ends at the floor, and rounding down is in the guest's favour.
    const int64_t target = AlignDown(donor.standing + bytes, config_.alignment_bytes);
    if (target <= donor.standing) return;
    donor.taken = true;
    GuestHistory& history = outcome_.histories[donor.guest];
    const Sampled<GuestReading>& report = *facts(donor.guest).report;
    Reason reason = ReasonToTake(rule, donor, report, wanted, now_);
    reason.guest_state = history.state;
    reason.host_state = host_.history.state;
    const Decision decision{.guest = donor.guest,
                            .from = {donor.standing},
                            .target = {target},
                            .act = donor.limits->mode != Mode::kObserve,
                            .reason = reason,
                            .pressure_onset = report.value.pressure_onset};
    if (!decision.act) return Show(decision, history);
    history.last_inflate = now_;
    history.target = decision.target;
    // Any taking may turn out wrong; only an idle step is undone as a whole.
    history.idle_step = {rule == Rule::kIdleGuest ? target - donor.standing : 0};
    history.idle_step_at = now_;
    reclaimed_ = Add(reclaimed_, target - donor.standing);
    outcome_.decisions.push_back(decision);
  }

  // By guest; a guest with a decision needs no word on why nothing was done.
  void Sort() {
    const auto by_guest = [](const auto& a, const auto& b) { return a.guest < b.guest; };
    std::sort(outcome_.decisions.begin(), outcome_.decisions.end(), by_guest);
    std::sort(outcome_.answers.begin(), outcome_.answers.end(), by_guest);
    std::erase_if(outcome_.holds, [&](const Hold& hold) {
      return std::binary_search(outcome_.decisions.begin(), outcome_.decisions.end(),
                                Decision{.guest = hold.guest}, by_guest);
    });
  }

  const Snapshot& snapshot_;
  const PolicyConfig& config_;
  const MonotonicTime now_;
  Memory& memory_;
  Outcome& outcome_;
  HostView host_;
  const int64_t hold_;       // what operators want held in all balloons together
  int64_t outstanding_ = 0;  // promised to guests and not yet with them
  int64_t pending_ = 0;      // asked of guests and not yet with the host
  int64_t reclaimed_ = 0;    // all balloons of acting guests, as commanded
  int64_t spare_ = 0;        // what the host has and has not promised, its reserve included
  int64_t unmet_ = 0;        // owed to acting guests and not granted
};

}  // namespace

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
