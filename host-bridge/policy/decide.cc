// The order of a decision: assess the host and every guest, ask the giving rules in order of rank, hand out
// what the host can spare, take what is still missing, remember.
#include "host-bridge/policy/decide.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "host-bridge/policy/arithmetic.h"
#include "host-bridge/policy/assess.h"
#include "host-bridge/policy/clamp.h"
#include "host-bridge/policy/rules/rule.h"

namespace ballast::policy {
namespace {

// In order of rank; a new rule is one file and one line here. Numbers not listed: 6 holds and 8 idle guests
// come with rule 7 after these, 9 and 10 (hotplug) after them; 11 is the clamp.
constexpr std::array<RuleFunction, 6> kGivingRules = {
    RestartedGuest,   // 12: before any other word
    CriticalRelease,  // 1
    SilentGuest,      // 2
    BalloonShrank,    // 3
    StalledBalloon,   // 4
    PressedGrow,      // 5
};

// One guest while the decision is being made.
struct Plan {
  GuestAssessment assessment = {};
  std::optional<Proposal> give = std::nullopt;
  std::optional<Decision> decision = std::nullopt;
  int64_t target = 0;  // standing, or the one just decided on (of a guest in mode observe: standing)

  [[nodiscard]] const View& view() const { return *assessment.view; }
  [[nodiscard]] const GuestLimits& limits() const { return view().facts->limits; }
  [[nodiscard]] bool acts() const { return limits().mode != Mode::kObserve; }
};

// The rule of the highest rank speaks for the guest, unless a later one would give it more.
std::optional<Proposal> Combine(const View& view, const PolicyConfig& config) {
  std::optional<Proposal> best;
  for (const RuleFunction rule : kGivingRules) {
    std::optional<Proposal> proposal = rule(view, config);
    if (proposal && (!best || proposal->target < best->target)) best = std::move(proposal);
  }
  return best;
}

// Who is served first: guests in real life before those only observed, then by need, weight and name.
auto ServingOrder(const Plan& plan) {
  const Rule rule = plan.give->reason.rule;
  const bool asks = rule == Rule::kPressedGrow || rule == Rule::kBalloonShrankByItself;
  const int need = plan.view().state == GuestState::kCritical ? 0 : asks ? 1 : 2;
  return std::tuple(!plan.acts(), need, -plan.limits().weight, std::string_view(plan.limits().name));
}

void Record(Plan& plan, const Proposal& proposal, int64_t target, MonotonicTime now) {
  const View& view = plan.view();
  GuestHistory& history = plan.assessment.history;
  Decision decision{.guest = view.index,
                    .from = proposal.from,
                    .target = {target},
                    .act = plan.acts(),
                    .reason = proposal.reason};
  if (view.reading != nullptr) decision.pressure_onset = view.reading->pressure_onset;
  if (plan.acts()) {
    if (target > view.target) {
      history.last_inflate = now;
    } else {
      history.progress_since = now;
      history.progress_actual = {view.actual};
    }
    history.target = BalloonBytes{target};
    plan.target = target;
    plan.decision = decision;
  } else {
    if (history.shown_target != BalloonBytes{target}) plan.decision = decision;
    history.shown_target = BalloonBytes{target};
  }
}

// Bytes already promised and not yet with the guests. Of a VMM that does not answer the last word counts.
int64_t Outstanding(const Plan& plan, const GuestFacts& facts) {
  if (plan.assessment.view) return std::max<int64_t>(0, plan.view().actual - plan.view().target);
  if (!facts.history.target || !facts.history.last_actual) return 0;
  return std::clamp<int64_t>(Sub(facts.history.last_actual->count, facts.history.target->count), 0,
                             kLargestSize);
}

class Planner {
 public:
  Planner(const Snapshot& snapshot, const PolicyConfig& config, MonotonicTime now)
      : snapshot_(snapshot), config_(config), now_(now), host_(AssessHost(snapshot, config, now)) {}

  Outcome Run() {
    Assess();
    Give();
    Take();
    return Assemble();
  }

 private:
  void Assess() {
    plans_.reserve(snapshot_.guests.size());
    int64_t outstanding = 0;
    for (const GuestFacts& facts : snapshot_.guests) {
      Plan plan{.assessment = AssessGuest(facts, host_.history.state, config_, now_)};
      if (plan.assessment.view) {
        plan.assessment.view->index = plans_.size();
        plan.target = plan.view().target;
        plan.give = Combine(plan.view(), config_);
      }
      outstanding = Add(outstanding, Outstanding(plan, facts));
      plans_.push_back(std::move(plan));
    }
    if (host_.known) budget_ = std::max<int64_t>(0, Sub(host_.available - host_.reserve, outstanding));
  }

  void Give() {
    std::vector<Plan*> asking;
    for (Plan& plan : plans_) {
      if (plan.give) asking.push_back(&plan);
    }
    std::sort(asking.begin(), asking.end(),
              [](const Plan* a, const Plan* b) { return ServingOrder(*a) < ServingOrder(*b); });
    for (Plan* plan : asking) Settle(*plan);
  }

  void Settle(Plan& plan) {
    const View& view = plan.view();
    Proposal& give = *plan.give;
    const int64_t wanted = ClampGive(view, give.target.count, config_);
    // A certain death outranks a possible shortage: with the host unknown a critical guest is still served,
    // and one that boots into a target of its former life.
    const bool restarted = view.facts->rebooted;
    const bool unlimited = !host_.known && (restarted || view.state == GuestState::kCritical);
    const int64_t target = unlimited ? wanted : FitBudget(view, wanted, budget_, config_);
    const int64_t grant = GrantOf(view, target);
    if (!unlimited) budget_ -= grant;
    if (plan.acts()) {
      // A guest is owed up to its baseline; what it wants above that is no demand on others.
      const int64_t owed = GrantOf(view, std::max(wanted, view.baseline_balloon));
      unmet_ = Add(unmet_, std::max<int64_t>(0, owed - grant));
    }
    give.reason.clamped = target > AlignDown(give.target.count, config_.alignment_bytes);
    const bool send_again = target == view.target && (view.grant_stuck || restarted) && plan.acts();
    if (target < view.target || send_again) Record(plan, give, target, now_);
  }

  // What must still come in: up to 5/4 of the reserve when the host is short, and what was owed but could not
  // be given; less what is on its way.
  [[nodiscard]] int64_t Missing() const {
    int64_t missing = unmet_;
    if (host_.history.state >= HostState::kPressure) {
      missing = Add(missing, std::max<int64_t>(0, WithMargin(host_.reserve) - host_.available));
    }
    for (const Plan& plan : plans_) {
      if (plan.assessment.view)
        missing = Sub(missing, std::max<int64_t>(0, plan.target - plan.view().actual));
    }
    return missing;
  }

  void Take() {
    if (!host_.known) return;
    const int64_t missing = Missing();
    if (missing <= 0) return;
    std::vector<const View*> real;
    std::vector<const View*> all;
    for (const Plan& plan : plans_) {
      if (!plan.assessment.view || plan.give || !IsDonor(plan.view())) continue;
      const Mode mode = plan.limits().mode;
      if (mode == Mode::kFull) real.push_back(&plan.view());
      if (mode == Mode::kFull || mode == Mode::kObserve) all.push_back(&plan.view());
    }
    TakeFrom(real, Mode::kFull, missing);
    // What an observed guest would have to give, were it one of the donors.
    if (all.size() > real.size()) TakeFrom(all, Mode::kObserve, missing);
  }

  void TakeFrom(const std::vector<const View*>& donors, Mode mode, int64_t missing) {
    for (const Taking& taking : ShareOut(donors, missing, config_)) {
      Plan& plan = plans_[taking.view->index];
      if (plan.limits().mode != mode) continue;
      Proposal proposal = TakeProposal(taking, missing);
      const int64_t target = ClampTake(plan.view(), proposal.target.count, config_);
      if (target <= proposal.from.count) continue;
      proposal.reason.clamped = target < AlignDown(proposal.target.count, config_.alignment_bytes);
      Record(plan, proposal, target, now_);
    }
  }

  Outcome Assemble() {
    Outcome outcome{.host_history = host_.history};
    outcome.histories.reserve(plans_.size());
    for (size_t i = 0; i < plans_.size(); ++i) {
      Plan& plan = plans_[i];
      if (plan.decision) {
        outcome.decisions.push_back(*plan.decision);
      } else if (plan.assessment.hold) {
        outcome.holds.push_back({i, *plan.assessment.hold});
      }
      outcome.histories.push_back(std::move(plan.assessment.history));
    }
    return outcome;
  }

  const Snapshot& snapshot_;
  const PolicyConfig& config_;
  const MonotonicTime now_;
  HostView host_;
  std::vector<Plan> plans_;  // does not grow after Assess: views are pointed to
  int64_t budget_ = 0;       // what may still be granted; 0 with the host unknown
  int64_t unmet_ = 0;        // owed to acting guests and not granted
};

// With numbers that make no sense nothing is done to anybody.
Outcome HoldEverything(const Snapshot& snapshot) {
  Outcome outcome{.host_history = snapshot.host_history};
  for (size_t i = 0; i < snapshot.guests.size(); ++i) {
    const GuestFacts& facts = snapshot.guests[i];
    if (facts.limits.mode != Mode::kOff) outcome.holds.push_back({i, Hold::Why::kBadLimits});
    outcome.histories.push_back(facts.history);
  }
  return outcome;
}

}  // namespace

Outcome Decide(const Snapshot& snapshot, const PolicyConfig& config, MonotonicTime now) {
  if (!config.Validate().empty()) return HoldEverything(snapshot);
  return Planner(snapshot, config, now).Run();
}

}  // namespace ballast::policy
