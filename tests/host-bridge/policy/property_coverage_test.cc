// What the random stories contain: an invariant says nothing of what never happens in them. Everything here
// is counted over the same stories, each at least so often.
#include <gtest/gtest.h>

#include <map>

#include "tests/host-bridge/policy/invariants_facts.h"
#include "tests/host-bridge/policy/property_stories.h"

namespace ballast::policy {
namespace {

constexpr int kStories = 25'000;
constexpr int kOften = 100;

struct Seen {
  std::map<Rule, int> rules;  // of decisions; kClamp: those that the clamp changed
  std::map<Rule, int> rules_in_observe;
  std::map<Hold::Why, int> holds;
  std::map<Mode, int> modes;
  std::map<GuestState, int> guest_states;
  std::map<HostState, int> host_states;
  std::map<std::string, int> other;
};

// Sentinels and the ends of the number line.
bool IsExtreme(int64_t bytes) { return bytes > (int64_t{1} << 60) || bytes < -(int64_t{1} << 60); }

void CountWorld(const World& world, Seen& seen) {
  const Snapshot& snapshot = world.snapshot;
  const auto note = [&](const char* what, bool is_so) { seen.other[what] += is_so ? 1 : 0; };
  note("no guest", snapshot.guests.empty());
  note("100 guests", snapshot.guests.size() >= 100);
  note("no host", !snapshot.host);
  note("host from the future", snapshot.host && snapshot.host->at > world.now + Seconds(1));
  note("two holds", snapshot.reclaim_holds.size() > 1);
  note("contradicting configuration", !world.config.Validate().empty());
  for (const GuestFacts& facts : snapshot.guests) {
    ++seen.modes[facts.limits.mode];
    note("restarted", facts.rebooted);
    note("request", facts.request.has_value());
    note("resumed", facts.resumed_at.has_value());
    note("no report", !facts.report);
    note("report from the future", facts.report && facts.report->at > world.now + Seconds(1));
    note("stuck grant", facts.vmm && facts.history.target &&
                            *facts.history.target < facts.vmm->value.balloon_actual &&
                            facts.history.progress_actual == facts.vmm->value.balloon_actual);
    note("resident", facts.vmm && facts.vmm->value.resident_bytes);
    note("extreme size", facts.vmm && IsExtreme(facts.vmm->value.base_bytes));
    note("extreme report", facts.report && IsExtreme(facts.report->value.available_bytes));
    note("idle step", facts.history.idle_step_at.has_value());
    note("regret", facts.history.regretted_at.has_value());
    note("blocked", facts.history.inflate_blocked_until > world.now);
  }
}

void CountOutcome(const World& world, const Outcome& outcome, Seen& seen) {
  for (const Decision& decision : outcome.decisions) {
    ++(decision.act ? seen.rules : seen.rules_in_observe)[decision.reason.rule];
    if (decision.reason.clamped) ++seen.rules[Rule::kClamp];
    const bool is_grant_again = decision.target.count == TargetOf(world.snapshot.guests[decision.guest]);
    seen.other["sent again"] += is_grant_again ? 1 : 0;
    seen.other["idle step undone"] +=
        decision.reason.rule == Rule::kIdleGuest && GrantIn(world, decision) > 0 ? 1 : 0;
  }
  for (const PlugDecision& decision : outcome.plugs) {
    ++(decision.act ? seen.rules : seen.rules_in_observe)[decision.reason.rule];
    seen.other["plugged"] += GrantIn(world, decision) > 0 ? 1 : 0;
    seen.other["unplugged"] += Takes(decision) ? 1 : 0;
    seen.other["plugged again"] += decision.from == decision.target ? 1 : 0;
    seen.other["kept plugged"] += decision.target > decision.from && GrantIn(world, decision) == 0 ? 1 : 0;
    seen.other["plugged on request"] += decision.reason.rule == Rule::kMemoryRequest ? 1 : 0;
  }
  for (const Hold& hold : outcome.holds) ++seen.holds[hold.why];
  for (const Answer& answer : outcome.answers) {
    seen.other["request granted"] += answer.why == Refusal::kNone ? 1 : 0;
    seen.other["request granted in part"] += answer.why != Refusal::kNone && answer.granted_bytes > 0 ? 1 : 0;
    seen.other["request refused"] += answer.granted_bytes == 0 ? 1 : 0;
  }
  for (const GuestHistory& history : outcome.histories) ++seen.guest_states[history.state];
  ++seen.host_states[outcome.host_history.state];
}

Seen CountIn(Story (*make)(RandomWorld&), int stories) {
  Seen seen;
  MonotonicTime last;
  for (int seed = 1; seed <= stories; ++seed) {
    RandomWorld random(static_cast<uint64_t>(seed));
    const Story story = make(random);
    last = story.scenes.front().now;
    static_cast<void>(Play(story, [&](const World& world, const Outcome& outcome) -> Broken {
      CountWorld(world, seen);
      CountOutcome(world, outcome, seen);
      seen.other["clock back"] += world.now < last ? 1 : 0;
      last = world.now;
      return std::nullopt;
    }));
  }
  return seen;
}

TEST(RandomStories, GiveEveryRuleItsReason) {
  Seen seen = CountIn(MakeAnything, kStories);
  for (const Rule rule :
       {Rule::kCriticalRelease, Rule::kSilentGuest, Rule::kBalloonShrankByItself, Rule::kStalledBalloon,
        Rule::kPressedGrow, Rule::kOperatorHold, Rule::kHostPressure, Rule::kIdleGuest, Rule::kClamp,
        Rule::kRestartedGuest, Rule::kUselessBalloon, Rule::kMemoryRequest, Rule::kPlug, Rule::kUnplug}) {
    EXPECT_GE(seen.rules[rule], kOften) << "rule " << static_cast<int>(rule);
  }
  for (const Rule rule : {Rule::kCriticalRelease, Rule::kPressedGrow, Rule::kHostPressure, Rule::kIdleGuest})
    EXPECT_GE(seen.rules_in_observe[rule], kOften) << "rule " << static_cast<int>(rule) << " in mode observe";
}

TEST(RandomStories, AreOfAllKinds) {
  Seen seen = CountIn(MakeAnything, kStories);
  for (const Hold::Why why :
       {Hold::Why::kNoVmm, Hold::Why::kNotRunning, Hold::Why::kNoReport, Hold::Why::kStaleReport,
        Hold::Why::kBadReading, Hold::Why::kBadLimits, Hold::Why::kPlugStuck, Hold::Why::kNoPlugRoom}) {
    EXPECT_GE(seen.holds[why], kOften) << "hold " << static_cast<int>(why);
  }
  for (int i = 0; i < 4; ++i) EXPECT_GE(seen.modes[static_cast<Mode>(i)], kOften) << "mode " << i;
  for (int i = 0; i < 5; ++i)
    EXPECT_GE(seen.guest_states[static_cast<GuestState>(i)], kOften) << "state " << i;
  for (int i = 0; i < 4; ++i) EXPECT_GE(seen.host_states[static_cast<HostState>(i)], kOften) << "host " << i;
  for (const auto& [what, times] : seen.other) EXPECT_GE(times, kOften) << what;
}

// The stories of I8 and I6 are about rules that take and give; these must have something to do in them.
TEST(RandomStories, ThatStayConstantMakeGuestsGiveAndGet) {
  Seen seen = CountIn(MakeConstant, 100);
  for (const Rule rule : {Rule::kCriticalRelease, Rule::kStalledBalloon, Rule::kPressedGrow,
                          Rule::kOperatorHold, Rule::kHostPressure, Rule::kIdleGuest}) {
    EXPECT_GE(seen.rules[rule], 10) << "rule " << static_cast<int>(rule);
  }
}

TEST(RandomStories, OfLiarsMakeOthersGive) {
  Seen seen = CountIn(MakeLiars, 1'000);
  EXPECT_GE(seen.rules[Rule::kHostPressure], kOften);
  EXPECT_GE(seen.rules[Rule::kPressedGrow] + seen.rules[Rule::kCriticalRelease], kOften);
}

}  // namespace
}  // namespace ballast::policy
