// Rule 11 for grants: limits, alignment and what the host can spare. A taking keeps floor, step, dead band
// and cooldown where it is worked out (rules/donor.cc) and shared out (rules/share_out.cc).
#pragma once

#include <cstdint>

#include "host-bridge/policy/rules/rule.h"

namespace ballast::policy {

// A grant's target within floor and ceiling, rounded in the guest's favour, never above the standing target.
[[nodiscard]] int64_t ClampGive(const View& view, int64_t target, const PolicyConfig& config);

// The same target again, raised until the grant fits `budget` >= 0. The standing target when nothing is left
// of it.
[[nodiscard]] int64_t FitBudget(const View& view, int64_t target, int64_t budget, const PolicyConfig& config);

// Bytes of the host's memory that a target promises to the guest beyond what it has or was promised before.
[[nodiscard]] int64_t GrantOf(const View& view, int64_t target);

}  // namespace ballast::policy
