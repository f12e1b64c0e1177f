// The half of a decision that takes: what is missing is shared out among donors, then idle guests give a
// step.
#include <algorithm>

#include "host-bridge/policy/planner.h"

namespace ballast::policy {

// What must still come in: up to 5/4 of the reserve when the host is short, and what was owed but could not
// be given; less what is on its way.
int64_t Planner::Missing() const {
  int64_t missing = unmet_;
  if (host_.history.state >= HostState::kPressure) {
    missing = Add(missing, std::max<int64_t>(0, WithMargin(host_.reserve) - host_.available));
  }
  return Sub(missing, pending_);
}

void Planner::Take() {
  const int64_t missing = Missing();
  if (missing > 0) AddResting();
  if (memory_.donors.empty()) return;
  // Other guests alone push nobody below the baseline; only a host that is short itself does.
  const DownTo limit = host_.history.state >= HostState::kPressure ? DownTo::kFloor : DownTo::kBaseline;
  if (missing > 0) TakeFor(Rule::kHostPressure, missing, limit);
  const int64_t not_held = Sub(hold_, reclaimed_);
  if (not_held > 0) TakeFor(Rule::kOperatorHold, not_held, DownTo::kFloor);
  for (Donor& donor : memory_.donors) {
    if (donor.taken) continue;
    TakeIdlePlugged(donor);
    if (donor.idle_step > 0 && !donor.taken)
      RecordTaking(Rule::kIdleGuest, donor, donor.idle_step, donor.idle_step);
  }
}

void Planner::TakeFor(Rule rule, int64_t wanted, DownTo limit) {
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

void Planner::TakeFrom(const std::vector<Donor*>& donors, Mode mode, Rule rule, int64_t wanted,
                       DownTo limit) {
  ShareOut(donors, wanted, limit, config_, memory_.shares, memory_.takings);
  for (const Taking& taking : memory_.takings) {
    if (taking.donor->limits->mode == mode) RecordTaking(rule, *taking.donor, taking.bytes, wanted);
  }
}

void Planner::RecordTaking(Rule rule, Donor& donor, int64_t bytes, int64_t wanted) {
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
  if (history.plug) history.plug->unplug_step_bytes = 0;
  reclaimed_ = Add(reclaimed_, target - donor.standing);
  outcome_.decisions.push_back(decision);
}

}  // namespace ballast::policy
