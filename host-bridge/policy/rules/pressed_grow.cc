// Rule 5. A pressed guest grows by what it is short of, not by a constant.
#include <algorithm>

#include "host-bridge/policy/arithmetic.h"
#include "host-bridge/policy/rules/rule.h"

namespace ballast::policy {

int64_t ShortOf(const View& view, const PolicyConfig& config) {
  const GuestReading& reading = *view.reading;
  const int64_t pressed = view.thresholds.pressed_available_bytes;
  int64_t bytes = 0;
  if (reading.available_bytes < pressed) bytes = WithMargin(pressed) - reading.available_bytes;
  const int64_t rate = Add(std::max<int64_t>(0, reading.consumption_bytes_per_second),
                           std::max<int64_t>(0, reading.refault_bytes_per_second));
  bytes = Add(bytes, BytesDuring(rate, config.actuator_eta));
  return std::max(bytes, config.alignment_bytes);
}

// The shortage is measured at the present size, so it counts from actual; a standing target that is already
// lower is kept, or the lag of the balloon would let a tick weaken the one before.
std::optional<Proposal> PressedGrow(const View& view, const PolicyConfig& config) {
  // The dwell keeps the state, not the asking: only a report that says "pressed" now makes the guest grow.
  if (!view.heard || view.level < GuestState::kPressed) return std::nullopt;
  if (std::max(view.actual, view.target) <= view.least_balloon) return std::nullopt;
  const int64_t short_of = ShortOf(view, config);
  const int64_t wanted = std::max<int64_t>(0, Sub(view.actual, short_of));
  Proposal proposal{{std::min(wanted, view.target)}, {view.Position()}, ReasonFor(Rule::kPressedGrow, view)};
  proposal.reason.threshold_bytes = view.thresholds.pressed_available_bytes;
  proposal.reason.wanted_bytes = short_of;
  return proposal;
}

}  // namespace ballast::policy
