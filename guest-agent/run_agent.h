// The running agent: everything it is made of, started in order and stopped in the opposite one.
#pragma once

#include "absl/status/status.h"
#include "guest-agent/agent_config.h"

namespace ballast::agent {

// Until a stop signal arrives. `config` is valid. Errors: what kept it from starting.
[[nodiscard]] absl::Status RunAgent(const AgentConfig& config);

}  // namespace ballast::agent
