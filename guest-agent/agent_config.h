// The agent's settings. The defaults are right for nearly every guest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/base/units.h"
#include "common/os/log.h"
#include "common/transport/address.h"

namespace ballast::agent {

struct AgentConfig {
  // Port the agent listens on; below 1024 only root can take it, which is how the host knows who answers.
  uint32_t vsock_port = 1000;                      // 1..1023
  bool vsock = true;                               // false: do not listen on vsock
  std::string socket = "/run/ballast/agent.sock";  // for tools inside the guest; empty: none
  std::string dial;  // "2:PORT": connect to the host instead of listening on vsock; empty: listen
  std::string root;  // put before /proc and /sys; for tests
  int64_t assumed_burst_bytes_per_second = kGiB;  // 1 MiB..1 TiB; the fastest allocator to be ready for
  // False: do without the measures that keep the agent alive and prompt in a guest without memory (to
  // compare).
  bool protect = true;
  bool bpf = true;   // false: no programs in the kernel; OOM kills are then learnt of a little later, and
                     // looks cost more
  bool kmsg = true;  // false: do not read the kernel's log
  // Where memory goes that is plugged while the guest runs: "auto", "kernel", "movable", or "off" to leave
  // it.
  std::string online = "auto";
  LogLevel log_level = LogLevel::kInfo;

  friend bool operator==(const AgentConfig&, const AgentConfig&) = default;
};

// Every fault of the configuration, each naming key, value and allowed range; empty: none.
[[nodiscard]] std::vector<std::string> Validate(const AgentConfig& config);

// The address of a valid `dial`; nothing when it is empty.
[[nodiscard]] std::optional<VsockAddress> DialAddress(const AgentConfig& config);

// As a configuration file: one "key = value" a line.
[[nodiscard]] std::string ToText(const AgentConfig& config);

}  // namespace ballast::agent
