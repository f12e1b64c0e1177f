// What a decision plugs and unplugs: grants within the same budget as the balloon's, and rule 10's takings.
#include <algorithm>

#include "host-bridge/policy/answer.h"
#include "host-bridge/policy/idle_watch.h"
#include "host-bridge/policy/planner.h"
#include "host-bridge/policy/plug_watch.h"

namespace ballast::policy {
namespace {

// What plugging up to `target` promises beyond what the guest has or was promised. What is only no longer
// asked back is still with it.
int64_t PlugGrant(const PlugView& plug, int64_t target) {
  return std::max<int64_t>(0, Sub(target, std::max(plug.standing, plug.plugged)));
}

}  // namespace

// Memory that a guest never had is no relief that somebody owes it: with the host unknown nothing is plugged.
void Planner::SettlePlug(Asker& asker) {
  const View& view = asker.view;
  const PlugView& plug = *view.plug;
  const int64_t wanted = asker.give.plug_target;
  const int64_t asked = PlugGrant(plug, wanted);
  // What was plugged is new, and its guest will fill it: until the host has had to back it, it is not free
  // for a second plugging.
  const int64_t budget = asked == 0 ? 0 : std::max<int64_t>(0, Sub(BudgetFor(asker), untouched_));
  const int64_t grant = AlignDown(std::min(asked, budget), plug.unit);
  const int64_t target = wanted - (asked - grant);
  spare_ = Sub(spare_, grant);
  if (view.asks) ReplyPlugged(view, asker.acts() ? grant : 0, WhyNotAll(asker, grant < asked));
  if (asker.acts() && !asker.Requests(Urgency::kLow)) {
    // As with the balloon: what it wants above its baseline is no demand on others.
    const int64_t owed =
        std::min(wanted, AlignUp(Sub(view.base - view.baseline_balloon, plug.boot), plug.unit));
    unmet_ = Add(unmet_, std::max<int64_t>(0, Sub(owed, target)));
  }
  asker.give.reason.clamped = asker.give.reason.clamped || grant < asked;
  const bool send_again = target == plug.standing && plug.lost && asker.acts();
  if (target > plug.standing || send_again) RecordPlug(asker, target);
}

void Planner::ReplyPlugged(const View& view, int64_t granted, Refusal why) {
  auto answer = AnswerTo(*view.facts, view.index, granted, why, view.give_bytes_per_second, config_, now_);
  if (!answer) return;
  if (answer->granted_bytes > 0) {
    answer->actuator = Actuator::kHotplug;
    answer->eta = config_.plug_horizon;
  }
  outcome_.answers.push_back(*answer);
}

void Planner::RecordPlug(const Asker& asker, int64_t target) {
  const View& view = asker.view;
  GuestHistory& history = outcome_.histories[view.index];
  const PlugDecision decision{.guest = view.index,
                              .from = view.plug->standing,
                              .target = target,
                              .act = asker.acts(),
                              .reason = asker.give.reason};
  if (decision.act) {
    PlugHistory& past = *history.plug;
    // Sent again it is the same promise, and what is expected of it the same.
    if (target != view.plug->standing) {
      past.from_bytes = target - PlugGrant(*view.plug, target);
      NoteBefore(view.reading, past);
    }
    RememberAnswered(asker, history);
    if (decision.reason.rule == Rule::kPlug) NeedsMore(view, history, config_, now_);
    pending_ -= view.plug->leaving - std::max<int64_t>(0, view.plug->plugged - target);
  }
  Command(decision, history);
}

void Planner::Command(const PlugDecision& decision, GuestHistory& history) {
  PlugHistory& past = *history.plug;
  if (!decision.act) {
    if (past.shown_target != Maybe(decision.target)) outcome_.plugs.push_back(decision);
    past.shown_target = decision.target;
    return;
  }
  past.target = decision.target;
  past.moved_at = now_;
  outcome_.plugs.push_back(decision);
}

// Rule 10. `donor` was not taken from in this decision.
void Planner::TakeIdlePlugged(Donor& donor) {
  if (donor.unplug_give > 0) return GiveToUnplug(donor);
  if (donor.unplug_step <= 0) return;
  donor.taken = true;
  GuestHistory& history = outcome_.histories[donor.guest];
  const PlugDecision decision{.guest = donor.guest,
                              .from = donor.plugged,
                              .target = donor.plugged - donor.unplug_step,
                              .act = donor.limits->mode != Mode::kObserve,
                              .reason = ReasonToUnplug(donor, donor.unplug_step)};
  if (decision.act) {
    history.last_inflate = now_;
    history.idle_step = {};
    history.idle_step_at = now_;
    history.plug->unplug_step_bytes = donor.unplug_step;
    history.plug->from_bytes = donor.plugged;
  }
  Command(decision, history);
}

// The balloon gives back what shall leave by rule 10; only where nobody else waits for it.
void Planner::GiveToUnplug(Donor& donor) {
  const int64_t left = Sub(spare_, WithMargin(host_.reserve));
  const int64_t target =
      AlignDown(std::max<int64_t>(0, donor.standing - donor.unplug_give), config_.alignment_bytes);
  const int64_t grant = donor.standing - target;
  const bool plenty =
      host_.history.state == HostState::kHealthy && hold_ == 0 && unmet_ == 0 && left >= grant;
  if (!plenty || grant <= 0) return;
  donor.taken = true;
  spare_ = Sub(spare_, grant);
  GuestHistory& history = outcome_.histories[donor.guest];
  const Decision decision{.guest = donor.guest,
                          .from = {donor.standing},
                          .target = {target},
                          .act = donor.limits->mode != Mode::kObserve,
                          .reason = ReasonToUnplug(donor, grant)};
  if (!decision.act) return Show(decision, history);
  history.progress_since = now_;
  history.progress_actual = facts(donor.guest).vmm->value.balloon_actual;
  history.target = decision.target;
  history.idle_step = {};
  outcome_.decisions.push_back(decision);
}

Reason Planner::ReasonToUnplug(const Donor& donor, int64_t wanted) const {
  Reason reason = ReasonToTake(Rule::kUnplug, donor, *facts(donor.guest).report, wanted, now_);
  reason.guest_state = outcome_.histories[donor.guest].state;
  reason.host_state = host_.history.state;
  return reason;
}

}  // namespace ballast::policy
