// How the bridge reaches an agent: AF_VSOCK, the hybrid vsock of a VMM's Unix socket, or a plain Unix socket.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/time.h"
#include "common/os/unique_fd.h"
#include "common/transport/address.h"
#include "host-bridge/session/async_io.h"

namespace ballast::session {

// A connected stream to the agent: for hybrid vsock after the `CONNECT port` / `OK n` exchange. Each step
// must finish within `deadline`. Errors say which step failed: the socket, the handshake, or "the guest does
// not listen on port N (agent not running?)".
Task<absl::StatusOr<UniqueFd>> Dial(Address address, Nanos deadline);

// Reverse direction: the agent dials, the bridge listens on `listener` (see ListenAddress) and takes the
// first connection that `accepts` approves; others are closed.
struct ReverseLink {
  UniqueFd listener;
  std::string path;                      // of the socket file, removed with the link; empty for AF_VSOCK
  std::optional<uint32_t> expected_cid;  // AF_VSOCK: only this guest; its source port must be below 1024
};
// Removes the link's socket file, if it has one.
void StopListening(ReverseLink& link);
absl::StatusOr<ReverseLink> Listen(const Address& address);
Task<absl::StatusOr<UniqueFd>> AcceptAgent(const ReverseLink& link);

}  // namespace ballast::session
