// The half of a decision that gives: askers in the order they are served, each within what the host can
// spare.
#include <algorithm>

#include "host-bridge/policy/answer.h"
#include "host-bridge/policy/clamp.h"
#include "host-bridge/policy/planner.h"
#include "host-bridge/policy/rules/plug.h"

namespace ballast::policy {

void Planner::Give() {
  if (host_.known) spare_ = Sub(host_.available, outstanding_);
  std::sort(memory_.askers.begin(), memory_.askers.end(), ServedBefore);
  for (Asker& asker : memory_.askers) Settle(asker);
}

// What may still be granted to the guest.
int64_t Planner::BudgetFor(const Asker& asker) const {
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
  int64_t short_of = Sub(DireShortage(view, config_), view.actual - view.Position());
  if (asker.give.plugs) short_of = PlugShortage(view, config_);
  if (kills) short_of = view.facts->request->bytes;
  if (asker.give.plugs) short_of = AlignUp(std::min(short_of, kLargestSize), view.plug->unit);
  return std::max(budget, std::min(short_of, Sub(spare_, untouched)));
}

void Planner::Settle(Asker& asker) {
  if (asker.give.plugs) return SettlePlug(asker);
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
  if (target < view.target || send_again) return RecordGiving(asker, target);
  if (auto stay = StayPlugged(view)) {
    give = *stay;
    RecordPlug(asker, give.plug_target);
  }
}

Refusal Planner::WhyNotAll(const Asker& asker, bool cut) const {
  if (!asker.acts()) return Refusal::kNotActing;
  return !cut ? Refusal::kNothingTaken : host_.known ? Refusal::kHostShort : Refusal::kHostUnknown;
}

void Planner::Reply(size_t guest, int64_t granted, Refusal why, int64_t give_bytes_per_second) {
  const auto answer = AnswerTo(facts(guest), guest, granted, why, give_bytes_per_second, config_, now_);
  if (answer) outcome_.answers.push_back(*answer);
}

void Planner::RecordGiving(const Asker& asker, int64_t target) {
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
  RememberAnswered(asker, history);
  const auto pending = [&](int64_t of) { return std::max<int64_t>(0, of - view.actual); };
  pending_ -= pending(view.target) - pending(target);
  outcome_.decisions.push_back(decision);
}

// One report is answered once, and part of what an undoing would give is back already.
void Planner::RememberAnswered(const Asker& asker, GuestHistory& history) const {
  const Rule rule = asker.give.reason.rule;
  const bool answers = rule == Rule::kPressedGrow || rule == Rule::kIdleGuest || rule == Rule::kUnplug;
  const bool drew = rule == Rule::kCriticalRelease || rule == Rule::kPlug || asker.Requests(Urgency::kKill);
  const bool answered = (answers && !asker.give.reason.clamped) || drew;
  if (asker.view.heard && answered) history.grown_on = asker.view.facts->report->at;
  if (rule == Rule::kMemoryRequest) {
    // What it asked for is not free, it is about to be used.
    MonotonicTime& until = history.inflate_blocked_until;
    until = std::max(until, After(now_, config_.first_block));
  }
  history.idle_step = {};
  if (history.plug) history.plug->unplug_step_bytes = 0;
}

// Of a guest in mode observe: what would be done, once.
void Planner::Show(const Decision& decision, GuestHistory& history) {
  if (history.shown_target != Maybe(decision.target)) outcome_.decisions.push_back(decision);
  history.shown_target = decision.target;
}

}  // namespace ballast::policy
