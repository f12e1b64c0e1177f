// From what the programs in the kernel hand over to the agent's own structs.
#pragma once

#include <linux/types.h>

#include <cstdint>

#include "common/base/time.h"
#include "guest-agent/bpf/kernel_event.h"
#include "guest-agent/oom/oom_listener.h"
#include "guest-agent/oom/verdict_plan.h"

namespace ballast::agent {

[[nodiscard]] KillFacts ToFacts(const ballast_oom_kill& event, int64_t page_size_bytes);
[[nodiscard]] OomBegins ToFacts(const ballast_oom_begins& event);
[[nodiscard]] ReclaimStall ToFacts(const ballast_stall& event);

}  // namespace ballast::agent
