// Rule 9. A guest whose balloon has nothing left to give back, and whose need lasts or ends in a kill, gets
// more than it booted with. Rule 14 takes the same way where the balloon cannot grant a request.
#include <algorithm>

#include "host-bridge/policy/arithmetic.h"
#include "host-bridge/policy/decide.h"
#include "host-bridge/policy/rules/plug.h"

namespace ballast::policy {
namespace {

// What counts as available and takes no metadata: the 16 MiB of zone DMA, the 8 MiB that the agent leaves the
// kernel's zones, and as much again for what a guest eats there meanwhile.
constexpr int64_t kNoRoom = 32 * kMiB;

// Of a guest without so much available no unit would be plugged any more: metadata is 1/64 of it.
int64_t LeastToPlug(const View& view) {
  return view.reading->blocks && view.reading->blocks->room_bytes ? Add(view.plug->unit / 64, kNoRoom) : 0;
}

// At the present rate nothing is left by the time that plugged memory would be there, or too little to take
// it. A guest that hardly eats will not need it soon, however large a unit is.
bool RunsOutFirst(const View& view, const PolicyConfig& config) {
  const int64_t available = view.reading->available_bytes;
  const int64_t rate = view.Consumption();
  return EatenWithin(Sub(available, LeastToPlug(view)), rate, config.plug_horizon) &&
         EatenWithin(available, rate, LongestHorizon(config));
}

bool Needs(const View& view, const PolicyConfig& config) {
  const bool pressed = view.level >= GuestState::kPressed;
  return view.level == GuestState::kCritical || (pressed && view.plug->lasts) || RunsOutFirst(view, config);
}

// From where more is added: an unplugging that is under way ends here. No multiple of the unit where DIMMs
// are of several sizes.
int64_t Start(const PlugView& plug) { return std::max(plug.standing, plug.plugged); }

Proposal Propose(Rule rule, const View& view, int64_t target, int64_t wanted) {
  Proposal proposal{.target = {view.target}, .from = {view.target}, .reason = ReasonFor(rule, view)};
  proposal.plugs = true;
  proposal.plug_target = target;
  proposal.reason.threshold_bytes = view.thresholds.pressed_available_bytes;
  proposal.reason.wanted_bytes = wanted;
  return proposal;
}

// Up to `bytes` more, in whole units, as far as the ceiling, the VMM and the guest's kernel have room.
std::optional<Proposal> More(Rule rule, const View& view, int64_t bytes) {
  const PlugView& plug = *view.plug;
  const int64_t start = Start(plug);
  const int64_t room = AlignDown(view.reading->blocks->room_bytes.value_or(kLargestSize), plug.unit);
  const int64_t below_most = AlignDown(std::max<int64_t>(0, Sub(plug.most, start)), plug.unit);
  const int64_t amount = AlignUp(std::min(bytes, kLargestSize), plug.unit);
  const int64_t target = Add(start, std::min({amount, room, below_most}));
  if (target <= start) return std::nullopt;
  Proposal proposal = Propose(rule, view, target, bytes);
  proposal.reason.clamped = target < Add(start, amount);
  return proposal;
}

bool MayPlug(const View& view) {
  const PlugView& plug = *view.plug;
  const bool moving = !plug.resting && plug.leaving == 0;
  return view.heard && view.reading->blocks && plug.balloon_empty && !moving && !plug.blocked;
}

std::optional<Proposal> Grow(const View& view, const PolicyConfig& config) {
  if (!view.heard || !view.plug->balloon_empty || !Needs(view, config)) return std::nullopt;
  const PlugView& plug = *view.plug;
  // The command may have died with its connection.
  if (plug.lost && plug.standing > plug.plugged)
    return Propose(Rule::kPlug, view, plug.standing, plug.standing - plug.plugged);
  if (!MayPlug(view) || view.facts->history.grown_on == Maybe(view.facts->report->at)) return std::nullopt;
  auto proposal = More(Rule::kPlug, view, PlugShortage(view, config));
  // What it was compared with.
  if (proposal && view.level < GuestState::kPressed)
    proposal->reason.threshold_bytes =
        Add(LeastToPlug(view), BytesDuring(view.Consumption(), config.plug_horizon));
  return proposal;
}

// What is about to leave stays, and nothing beside it.
Proposal Stay(Rule rule, const View& view, int64_t wanted) {
  return Propose(rule, view, view.plug->plugged, wanted);
}

// What was taken by rule 10 and is missed comes back; what the guest does not let go is no longer asked for.
std::optional<Proposal> UnplugUndone(const View& view) {
  const PlugView& plug = *view.plug;
  std::optional<Proposal> proposal;
  if (plug.refused && plug.standing < plug.plugged) {
    proposal = Stay(Rule::kUnplug, view, 0);
  } else if (plug.undo > 0 && MayPlug(view)) {
    proposal = More(Rule::kUnplug, view, plug.undo);
    if (!proposal && plug.leaving > 0) proposal = Stay(Rule::kUnplug, view, plug.undo);
  }
  if (proposal) proposal->reason.threshold_bytes = 0;  // nothing was compared
  return proposal;
}

}  // namespace

std::optional<Proposal> StayPlugged(const View& view) {
  const bool is_short = view.heard && view.level >= GuestState::kPressed;
  if (!is_short || !view.plug || view.plug->standing >= view.plug->plugged) return std::nullopt;
  return Stay(Rule::kPlug, view, view.plug->plugged - view.plug->standing);
}

std::optional<Proposal> Plug(const View& view, const PolicyConfig& config) {
  if (!view.plug) return std::nullopt;
  std::optional<Proposal> best = Grow(view, config);
  if (!best) best = StayPlugged(view);
  if (!best) best = UnplugUndone(view);
  if (!best && view.asks && MayPlug(view))
    best = More(Rule::kMemoryRequest, view, view.facts->request->bytes);
  return best;
}

std::optional<Hold::Why> WhyNotPlugged(const View& view, const PolicyConfig& config) {
  if (!view.plug || !view.heard) return std::nullopt;
  const PlugView& plug = *view.plug;
  if (plug.stuck) return Hold::Why::kPlugStuck;
  const bool wants = view.reading->blocks && plug.resting && plug.balloon_empty && Needs(view, config);
  if (!wants || Add(plug.standing, plug.unit) > plug.most) return std::nullopt;
  const bool fits = view.reading->blocks->room_bytes.value_or(kLargestSize) >= plug.unit;
  return fits ? std::nullopt : std::optional(Hold::Why::kNoPlugRoom);
}

}  // namespace ballast::policy
