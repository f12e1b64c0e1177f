#include "host-bridge/policy/rules/rule.h"

namespace ballast::policy {

Reason ReasonFor(Rule rule, const View& view) {
  Reason reason{
      .rule = rule, .guest_state = view.state, .host_state = view.host_state, .age = view.report_age};
  if (view.reading != nullptr) {
    reason.available_bytes = view.reading->available_bytes;
    reason.consumption_bytes_per_second = view.Consumption();
    reason.stall_permyriad = view.reading->stall_permyriad;
    if (view.zram_fills || view.zram_ends) reason.zram_left_bytes = view.reading->zram_left_bytes;
    if (view.kernel_short) reason.kernel_headroom_bytes = view.reading->kernel_headroom_bytes;
  }
  return reason;
}

}  // namespace ballast::policy
