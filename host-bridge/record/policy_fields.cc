#include "host-bridge/record/policy_fields.h"

#include <limits>
#include <type_traits>

namespace ballast::record {

int64_t PolicyField::Get(const P& config) const {
  return std::visit(
      [&](auto pointer) -> int64_t {
        const auto& field = config.*pointer;
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(field)>, Nanos>) {
          return field.count;
        } else {
          return field;
        }
      },
      member);
}

bool PolicyField::Set(int64_t value, P& config) const {
  return std::visit(
      [&](auto pointer) {
        auto& field = config.*pointer;
        using T = std::remove_cvref_t<decltype(field)>;
        if constexpr (std::is_same_v<T, Nanos>) {
          field = {value};
        } else {
          if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max()) return false;
          field = static_cast<T>(value);
        }
        return true;
      },
      member);
}

const std::vector<PolicyField>& PolicyFields() {
  using P = policy::PolicyConfig;
  static const auto& fields = *new std::vector<PolicyField>{
      {"critical_permyriad", &P::critical_permyriad},
      {"critical_min_bytes", &P::critical_min_bytes},
      {"critical_max_bytes", &P::critical_max_bytes},
      {"pressed_permyriad", &P::pressed_permyriad},
      {"pressed_min_bytes", &P::pressed_min_bytes},
      {"pressed_max_bytes", &P::pressed_max_bytes},
      {"exhaustion_horizon", &P::exhaustion_horizon},
      {"pressed_stall_permyriad", &P::pressed_stall_permyriad},
      {"pressed_refault_bytes_per_second", &P::pressed_refault_bytes_per_second},
      {"zram_short_permyriad", &P::zram_short_permyriad},
      {"zram_horizon", &P::zram_horizon},
      {"kernel_short_bytes", &P::kernel_short_bytes},
      {"leave_dwell", &P::leave_dwell},
      {"idle_used_permyriad", &P::idle_used_permyriad},
      {"report_max_age", &P::report_max_age},
      {"lease", &P::lease},
      {"vmm_max_age", &P::vmm_max_age},
      {"host_max_age", &P::host_max_age},
      {"actuator_latency", &P::actuator_latency},
      {"assumed_give_bytes_per_second", &P::assumed_give_bytes_per_second},
      {"resend_after", &P::resend_after},
      {"request_answer_ahead", &P::request_answer_ahead},
      {"self_shrink_bytes", &P::self_shrink_bytes},
      {"stall_bytes_per_second", &P::stall_bytes_per_second},
      {"stall_time", &P::stall_time},
      {"stall_slack_bytes", &P::stall_slack_bytes},
      {"first_block", &P::first_block},
      {"max_block", &P::max_block},
      {"useless_slack_bytes", &P::useless_slack_bytes},
      {"useless_after", &P::useless_after},
      {"useless_block", &P::useless_block},
      {"host_reserve_permyriad", &P::host_reserve_permyriad},
      {"host_reserve_min_bytes", &P::host_reserve_min_bytes},
      {"critical_draw_permyriad", &P::critical_draw_permyriad},
      {"host_some_permyriad", &P::host_some_permyriad},
      {"host_full_permyriad", &P::host_full_permyriad},
      {"guest_reserve_permyriad", &P::guest_reserve_permyriad},
      {"guest_reserve_min_bytes", &P::guest_reserve_min_bytes},
      {"max_step_bytes", &P::max_step_bytes},
      {"max_step_permyriad", &P::max_step_permyriad},
      {"dead_band_bytes", &P::dead_band_bytes},
      {"inflate_cooldown", &P::inflate_cooldown},
      {"alignment_bytes", &P::alignment_bytes},
      {"zram_donor_permyriad", &P::zram_donor_permyriad},
      {"idle_tax_permyriad", &P::idle_tax_permyriad},
      {"idle_after", &P::idle_after},
      {"working_set_window", &P::working_set_window},
      {"idle_interval", &P::idle_interval},
      {"idle_probe_bytes", &P::idle_probe_bytes},
      {"idle_reserve_permyriad", &P::idle_reserve_permyriad},
      {"idle_stall_permyriad", &P::idle_stall_permyriad},
      {"idle_refault_bytes_per_second", &P::idle_refault_bytes_per_second},
      {"idle_regret_window", &P::idle_regret_window},
      {"idle_max_wait", &P::idle_max_wait},
      {"plug_after", &P::plug_after},
      {"plug_horizon", &P::plug_horizon},
      {"plug_patience", &P::plug_patience},
      {"unplug_after", &P::unplug_after},
      {"unplug_patience", &P::unplug_patience},
  };
  return fields;
}

}  // namespace ballast::record
