#include "guest-agent/agent_config.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "common/base/size_text.h"
#include "common/base/text.h"

namespace ballast::agent {
namespace {

constexpr uint32_t kHostCid = 2;
constexpr int64_t kMaxBurst = 1024 * kGiB;
constexpr size_t kMaxSocketPath = 107;  // the kernel's limit for a socket's name

}  // namespace

std::vector<std::string> Validate(const AgentConfig& config) {
  std::vector<std::string> faults;
  if (config.vsock_port < 1 || config.vsock_port >= kFirstUnprivilegedPort) {
    faults.push_back(StrCat("vsock-port = ", config.vsock_port, ": allowed are 1..1023"));
  }
  if (!config.socket.empty() && (!config.socket.starts_with('/') || config.socket.size() > kMaxSocketPath)) {
    faults.push_back(StrCat("socket = ", config.socket, ": must be an absolute path of at most ",
                            kMaxSocketPath, " bytes, or empty"));
  }
  if (!config.dial.empty()) {
    const auto address = ParseAddress(StrCat("vsock:", config.dial));
    if (!address.ok() || std::get<VsockAddress>(*address).cid != kHostCid) {
      faults.push_back(StrCat("dial = ", config.dial, ": must be 2:PORT, the host's CID and a port"));
    }
  }
  if (!config.root.empty() && !config.root.starts_with('/')) {
    faults.push_back(StrCat("root = ", config.root, ": must be an absolute path"));
  }
  if (config.assumed_burst_bytes_per_second < kMiB || config.assumed_burst_bytes_per_second > kMaxBurst) {
    faults.push_back(StrCat("assumed-burst = ", FormatSize(config.assumed_burst_bytes_per_second),
                            ": allowed are 1MiB..1TiB (a second)"));
  }
  if (!config.vsock && config.socket.empty() && config.dial.empty()) {
    faults.push_back("no-vsock without socket and dial: nobody could reach the agent");
  }
  constexpr std::array<std::string_view, 4> kOnline{"auto", "kernel", "movable", "off"};
  if (std::find(kOnline.begin(), kOnline.end(), config.online) == kOnline.end()) {
    faults.push_back(StrCat("online = ", config.online, ": allowed are auto, kernel, movable, off"));
  }
  return faults;
}

std::optional<VsockAddress> DialAddress(const AgentConfig& config) {
  if (config.dial.empty()) return std::nullopt;
  const auto address = ParseAddress(StrCat("vsock:", config.dial));
  if (!address.ok()) return std::nullopt;
  return std::get<VsockAddress>(*address);
}

std::string ToText(const AgentConfig& config) {
  return StrCat("vsock-port = ", config.vsock_port, "\nno-vsock = ", config.vsock ? "false" : "true",
                "\nsocket = ", config.socket, "\ndial = ", config.dial, "\nroot = ", config.root,
                "\nassumed-burst = ", FormatSize(config.assumed_burst_bytes_per_second),
                "\nno-protection = ", config.protect ? "false" : "true",
                "\nno-bpf = ", config.bpf ? "false" : "true", "\nno-kmsg = ", config.kmsg ? "false" : "true",
                "\nonline = ", config.online, "\nlog-level = ", NameOf(config.log_level), "\n");
}

}  // namespace ballast::agent
