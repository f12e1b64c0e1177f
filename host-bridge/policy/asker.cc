#include "host-bridge/policy/asker.h"

#include <array>
#include <string_view>
#include <tuple>
#include <utility>

#include "host-bridge/policy/rules/plug.h"

namespace ballast::policy {
namespace {

// In order of rank; a new rule is one file and one line here. Numbers not listed: 6, 7 and the other half of
// 8 take, after these have given; 9 and 10 plug and unplug, where none of these speaks; 11 is the clamp.
constexpr std::array<RuleFunction, 9> kGivingRules = {
    RestartedGuest,   // 12: before any other word
    CriticalRelease,  // 1
    SilentGuest,      // 2
    BalloonShrank,    // 3
    StalledBalloon,   // 4
    UselessBalloon,   // 13
    PressedGrow,      // 5
    MemoryRequested,  // 14
    IdleStepUndone,   // 8
};

auto ServingOrder(const Asker& asker) {
  const Rule rule = asker.give.reason.rule;
  const bool asks = rule == Rule::kPressedGrow || rule == Rule::kPlug ||
                    rule == Rule::kBalloonShrankByItself || asker.Requests(Urgency::kNormal);
  const bool dies = asker.view.state == GuestState::kCritical;
  const int need = dies ? 0 : asker.Requests(Urgency::kKill) ? 1 : asks ? 2 : 3;
  return std::tuple(!asker.acts(), need, -asker.limits().weight, std::string_view(asker.limits().name));
}

}  // namespace

bool ServedBefore(const Asker& a, const Asker& b) { return ServingOrder(a) < ServingOrder(b); }

std::optional<Proposal> AskGivingRules(const View& view, const PolicyConfig& config) {
  std::optional<Proposal> best;
  for (const RuleFunction rule : kGivingRules) {
    std::optional<Proposal> proposal = rule(view, config);
    if (proposal && (!best || proposal->target < best->target)) best = std::move(proposal);
  }
  // What the balloon was told already is no news; an unplugging must end all the same.
  const bool is_news = best && (best->target.count < view.target || view.grant_stuck || view.facts->rebooted);
  std::optional<Proposal> plug = is_news ? std::nullopt : Plug(view, config);
  return plug ? plug : best;
}

}  // namespace ballast::policy
