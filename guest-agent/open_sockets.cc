#include "guest-agent/open_sockets.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/transport/socket.h"

namespace ballast::agent {
namespace {

constexpr int kBacklog = 64;
constexpr int kBindAttempts = 50;
constexpr absl::Duration kBindPause = absl::Milliseconds(100);

// Source ports below 1024 prove root to the host; the first free one serves.
absl::StatusOr<UniqueFd> Dial(VsockAddress host) {
  absl::StatusOr<UniqueFd> last = absl::UnavailableError("no port tried");
  for (uint32_t port = kFirstUnprivilegedPort - 1; port >= kFirstUnprivilegedPort - 16; --port) {
    last = StartConnectVsock(host.cid, host.port, port);
    if (last.ok()) return last;
  }
  return last;
}

// How Abseil translates EADDRINUSE; nothing else that listening can say becomes this.
bool IsPortTaken(const absl::Status& status) { return absl::IsFailedPrecondition(status); }

// A predecessor that was killed keeps its port until the kernel has taken it apart, programs and all.
absl::StatusOr<UniqueFd> ListenPatiently(uint32_t port) {
  auto listening = ListenVsock(port, kBacklog);
  for (int attempt = 1; IsPortTaken(listening.status()) && attempt < kBindAttempts; ++attempt) {
    absl::SleepFor(kBindPause);
    listening = ListenVsock(port, kBacklog);
  }
  return listening;
}

}  // namespace

absl::Status OpenSockets(const AgentConfig& config, Listener::Options& options) {
  if (const auto host = DialAddress(config)) {
    options.dial = [address = *host] { return Dial(address); };
  } else if (config.vsock) {
    auto vsock = ListenPatiently(config.vsock_port);
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
