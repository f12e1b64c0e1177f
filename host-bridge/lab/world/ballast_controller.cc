#include "host-bridge/lab/world/ballast_controller.h"

#include <memory>
#include <utility>

namespace ballast::sim {
namespace {

// As the bridge does (LoopSettings::host_interval).
constexpr Nanos kHostInterval = Milliseconds(100);
// So long after an unplugging the guest's own trend still shows it (PlugDesk::IsShrinking).
constexpr Nanos kShrinkShows = Seconds(3);
// While the host is short the donors' cooldowns and dwells run; after this long without a decision nobody can
// give.
constexpr Nanos kSettledAfter = Seconds(10);
// A memory block of x86.
constexpr int64_t kPlugUnit = 128 * kMiB;
// A log for people, not an archive.
constexpr size_t kMostLines = 20'000;

ControllerKind Kind(std::string name, DeviceChoice device) {
  return {.name = std::move(name),
          .source = "host-bridge/policy, the code the bridge runs",
          .device = device,
          .make = [](const WorldPlan& plan) { return std::make_unique<BallastController>(plan); }};
}

}  // namespace

ControllerKind Ballast() { return Kind("ballast", {.deflate_on_oom = true, .free_page_reporting = true}); }

ControllerKind BallastWithoutReporting() {
  return Kind("ballast-no-reporting", {.deflate_on_oom = true, .free_page_reporting = false});
}

ControllerKind BallastWithoutDeflate() {
  return Kind("ballast-no-deflate", {.deflate_on_oom = false, .free_page_reporting = true});
}

BallastController::BallastController(const WorldPlan& plan) : config_(plan.policy) {
  snapshot_.guests.reserve(plan.guests.size());
  shrank_at_.resize(plan.guests.size());
  for (const GuestPlan& guest : plan.guests) {
    policy::GuestFacts facts;
    facts.limits = guest.limits;
    snapshot_.guests.push_back(std::move(facts));
  }
}

void BallastController::SeeHost(const WorldSight& sight) {
  if (snapshot_.host && sight.now - snapshot_.host->at < kHostInterval) return;
  const HostSight& host = sight.host;
  snapshot_.host = {{host.total_bytes, host.available_bytes, host.some_permyriad, host.full_permyriad},
                    sight.now};
}

// As the control loop takes its mailbox: a VMM that stopped answering voids what was commanded, a guest that
// started anew voids what was known of it.
void BallastController::SeeGuest(const GuestSight& sight, MonotonicTime now, policy::GuestFacts& facts,
                                 std::optional<MonotonicTime>& shrank_at) {
  if (sight.rebooted) {
    facts.rebooted = true;
    facts.report.reset();
    facts.history = {};
  }
  if (sight.report) facts.report = sight.report;
  if (!sight.vmm_answers) {
    if (facts.vmm) facts.history = {};
    facts.vmm.reset();
    return;
  }
  if (facts.vmm && !facts.vmm->value.running && sight.running) facts.resumed_at = now;
  facts.vmm = {{.base_bytes = sight.plan->boot_bytes,
                .balloon_actual = {sight.balloon_bytes},
                .running = sight.running,
                .resident_bytes = sight.resident_bytes},
               now};
  const int64_t most = sight.plan->device.plug_bytes;
  if (most == 0) return;
  if (sight.plugged_bytes > sight.plug_requested_bytes) shrank_at = now;
  facts.vmm->value.plug = policy::PlugReading{.plugged_bytes = sight.plugged_bytes,
                                              .requested_bytes = sight.plug_requested_bytes,
                                              .most_bytes = most,
                                              .unit_bytes = kPlugUnit,
                                              .outside_base_bytes = sight.plugged_bytes,
                                              .unplugging = shrank_at && now - *shrank_at < kShrinkShows};
}

void BallastController::Look(const WorldSight& sight, std::vector<Command>& commands) {
  SeeHost(sight);
  for (size_t i = 0; i < sight.guests.size(); ++i)
    SeeGuest(sight.guests[i], sight.now, snapshot_.guests[i], shrank_at_[i]);
  policy::Outcome& outcome = decider_.Decide(snapshot_, config_, sight.now);
  Act(outcome, commands, sight.now);
  for (size_t i = 0; i < snapshot_.guests.size(); ++i) {
    snapshot_.guests[i].history = outcome.histories[i];
  }
  snapshot_.host_history = outcome.host_history;
  const bool host_is_short = outcome.host_history.state >= policy::HostState::kPressure;
  at_rest_ = outcome.decisions.empty() && outcome.plugs.empty() &&
             (!host_is_short || sight.now - decided_at_ >= kSettledAfter);
}

void BallastController::Act(const policy::Outcome& outcome, std::vector<Command>& commands,
                            MonotonicTime now) {
  for (const policy::Decision& decision : outcome.decisions) {
    decided_at_ = now;
    if (decision.act) {
      commands.push_back({decision.guest, decision.target.count});
      snapshot_.guests[decision.guest].rebooted = false;
    }
    if (log_ != nullptr) Log(policy::Explain(decision, NameOf(decision.guest)), now);
  }
  for (const policy::PlugDecision& decision : outcome.plugs) {
    decided_at_ = now;
    if (decision.act) commands.push_back({.guest = decision.guest, .plug_bytes = decision.target});
    if (log_ != nullptr) Log(policy::Explain(decision, NameOf(decision.guest)), now);
  }
}

void BallastController::Log(const std::string& line, MonotonicTime now) {
  if (log_->size() >= kMostLines) return;
  const int64_t ms = (now - kWorldBegan).count / 1'000'000;
  const std::string fraction = std::to_string(1'000 + ms % 1'000).substr(1);
  log_->push_back(std::to_string(ms / 1'000) + "." + fraction + " s  " + line);
}

}  // namespace ballast::sim
