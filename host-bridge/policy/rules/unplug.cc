// Rule 10. What a guest was given beside its boot memory leaves again once it has not needed it for long, in
// steps that are watched as those of rule 8. Where its balloon holds memory, that comes back first: one of
// the two would otherwise have to hold for ever what the other could give for good.
#include <algorithm>

#include "host-bridge/policy/arithmetic.h"
#include "host-bridge/policy/rules/plug.h"

namespace ballast::policy {

IdlePlugged IdlePluggedOf(const View& view, int64_t slack, int64_t most_step, const PolicyConfig& config) {
  IdlePlugged idle;
  const PlugView& plug = *view.plug;
  if (plug.plugged <= 0 || plug.unplug_blocked || !view.reading->blocks) return idle;
  const int64_t size = view.base - std::max(view.actual, view.target);
  const int64_t above_floor = std::max<int64_t>(0, Sub(size, plug.floor));
  const int64_t most = std::min({plug.plugged, view.reading->blocks->movable_bytes, above_floor});
  slack = std::min(slack, above_floor);
  const int64_t held = std::max<int64_t>(0, std::max(view.actual, view.target) - view.least_balloon);
  const auto units = [&](int64_t bytes) { return AlignDown(std::max<int64_t>(0, bytes), plug.unit); };
  idle.can_leave = units(std::min(Add(slack, held) / 2, most)) > 0;
  if (!idle.can_leave || !plug.may_leave || !plug.resting) return idle;
  // A step is bounded as rule 8's, but a unit cannot be divided.
  idle.unplug = units(std::min({slack / 2, most, std::max(most_step, plug.unit)}));
  // A balloon that is on its way, or stuck, has a target of its own to reach first.
  const bool gives = idle.unplug == 0 && view.settled && held >= config.alignment_bytes;
  if (gives)
    idle.give = std::min(held, AlignUp(Sub(Add(plug.unit, plug.unit), slack), config.alignment_bytes));
  return idle;
}

}  // namespace ballast::policy
