// Where an agent is reached, as people write it:
//   vsock:CID:PORT   AF_VSOCK, through the kernel's vhost-vsock
//   unix:PATH:PORT   hybrid vsock: the VMM's Unix socket, which multiplexes guest ports
//                    (Firecracker, Cloud Hypervisor, vhost-device-vsock)
//   unix:PATH        a plain Unix socket that speaks gRPC directly (the agent's local socket)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/statusor.h"

namespace ballast {

// Ports below this can be bound by root alone, in the guest as on the host.
inline constexpr uint32_t kFirstUnprivilegedPort = 1024;

struct VsockAddress {
  uint32_t cid = 0;   // 3..2^32-2 for a guest; 2 is the host
  uint32_t port = 0;  // 1..2^32-2
  friend bool operator==(const VsockAddress&, const VsockAddress&) = default;
};

struct HybridAddress {
  std::string path;
  uint32_t port = 0;  // 1..2^32-2
  friend bool operator==(const HybridAddress&, const HybridAddress&) = default;
};

struct UnixAddress {
  std::string path;
  friend bool operator==(const UnixAddress&, const UnixAddress&) = default;
};

using Address = std::variant<VsockAddress, HybridAddress, UnixAddress>;

// Errors: InvalidArgument naming the part that is wrong and what would be right. Paths are absolute and at
// most 107 bytes, the kernel's limit for a socket's name.
[[nodiscard]] absl::StatusOr<Address> ParseAddress(std::string_view text);
[[nodiscard]] std::string FormatAddress(const Address& address);

}  // namespace ballast
