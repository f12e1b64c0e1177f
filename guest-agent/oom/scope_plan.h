// Whose shortage an OOM kill was, and what an operator can do about it.
#pragma once

#include "guest-agent/oom/verdict_plan.h"

namespace ballast::agent {

// What a balloon must hold to be the reason of a kill: 1/64 of the guest and at least 16 MiB. Less than that
// would have put the kill off for a moment only.
[[nodiscard]] int64_t BalloonThatMatters(int64_t total_bytes);

// Fills in scope, kernel_zones_short and advice from the kill and the guest's condition.
void JudgeScope(const GuestCondition& guest, OomVerdict& verdict);

}  // namespace ballast::agent
