// Stream sockets of the two families Ballast speaks: AF_VSOCK and AF_UNIX. All descriptors are close-on-exec
// and non-blocking.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/os/unique_fd.h"

namespace ballast {

// A listening AF_VSOCK socket on `port` of this machine's own CID. Errors: the kernel's, naming the port.
[[nodiscard]] absl::StatusOr<UniqueFd> ListenVsock(uint32_t port, int backlog);

// A listening Unix socket with `mode`. A stale socket file that nobody answers on is replaced; one that is in
// use is ALREADY_EXISTS; anything that is not a socket is left alone and is FAILED_PRECONDITION.
[[nodiscard]] absl::StatusOr<UniqueFd> ListenUnix(const std::string& path, uint32_t mode, int backlog);

// Starts a connection; it is complete when the descriptor becomes writable and SocketError() is OK.
// `source_port`: bind to it first (below 1024 proves root to the peer).
[[nodiscard]] absl::StatusOr<UniqueFd> StartConnectVsock(uint32_t cid, uint32_t port,
                                                         std::optional<uint32_t> source_port = std::nullopt);
[[nodiscard]] absl::StatusOr<UniqueFd> StartConnectUnix(const std::string& path);
[[nodiscard]] absl::Status SocketError(int fd);

// Who connected, as the transport itself says it. No peer on a Unix socket has a CID.
struct Peer {
  UniqueFd fd;
  std::optional<uint32_t> cid;
  std::optional<uint32_t> port;
};
// UNAVAILABLE when nobody waits.
[[nodiscard]] absl::StatusOr<Peer> Accept(int listener);

}  // namespace ballast
