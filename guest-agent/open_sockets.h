// The sockets that an agent's configuration asks for.
#pragma once

#include "absl/status/status.h"
#include "guest-agent/agent_config.h"
#include "guest-agent/service/listener.h"

namespace ballast::agent {

// Into `options`: the vsock port or how to dial the host, and the local socket with its directory. Errors:
// the kernel's, naming the address.
[[nodiscard]] absl::Status OpenSockets(const AgentConfig& config, Listener::Options& options);

}  // namespace ballast::agent
