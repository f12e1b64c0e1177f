#include "guest-agent/open_sockets.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "common/transport/socket.h"

namespace ballast::agent {
namespace {

constexpr int kBacklog = 64;

// Source ports below 1024 prove root to the host; the first free one serves.
absl::StatusOr<UniqueFd> Dial(VsockAddress host) {
  absl::StatusOr<UniqueFd> last = absl::UnavailableError("no port tried");
  for (uint32_t port = kFirstUnprivilegedPort - 1; port >= kFirstUnprivilegedPort - 16; --port) {
    last = StartConnectVsock(host.cid, host.port, port);
    if (last.ok()) return last;
  }
  return last;
}

}  // namespace

absl::Status OpenSockets(const AgentConfig& config, Listener::Options& options) {
  if (const auto host = DialAddress(config)) {
    options.dial = [address = *host] { return Dial(address); };
  } else if (config.vsock) {
    auto vsock = ListenVsock(config.vsock_port, kBacklog);
    if (!vsock.ok()) return vsock.status();
    options.vsock = *std::move(vsock);
  }
  if (config.socket.empty()) return absl::OkStatus();
  std::error_code ignored;  // then listening says what is wrong
  std::filesystem::create_directories(std::filesystem::path(config.socket).parent_path(), ignored);
  auto local = ListenUnix(config.socket, 0600, kBacklog);
  if (!local.ok()) return local.status();
  options.local = *std::move(local);
  return absl::OkStatus();
}

}  // namespace ballast::agent
