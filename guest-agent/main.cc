// ballast-agent: tells whoever steers this guest how much memory it has left.
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <memory>
#include <utility>

#include "common/base/text.h"
#include "common/os/clock.h"
#include "common/os/log.h"
#include "common/os/stop_signal.h"
#include "common/transport/socket.h"
#include "guest-agent/options.h"
#include "guest-agent/service/agent_server.h"
#include "guest-agent/service/listener.h"
#include "guest-agent/survival.h"

namespace ballast::agent {
namespace {

constexpr int kBadConfig = 2;
constexpr int kCannotRun = 1;
constexpr int kBacklog = 64;

// Differs between starts even when a guest's clock was set back: time and process id.
uint64_t NewGeneration() {
  return static_cast<uint64_t>(::time(nullptr)) << 22 | (static_cast<uint64_t>(::getpid()) & 0x3fffff);
}

AgentIdentity Identify(const FileReader& files, const Sensors& sensors, std::string trigger_reason) {
  AgentIdentity identity{.version = BALLAST_VERSION,
                         .generation = NewGeneration(),
                         .machine = ReadMachineFacts(files),
                         .capabilities = {}};
  identity.capabilities.assign(sensors.Capabilities().begin(), sensors.Capabilities().end());
  identity.capabilities.push_back({"psi_trigger", std::move(trigger_reason)});
  return identity;
}

// Source ports below 1024 prove root to the host; the first free one serves.
absl::StatusOr<UniqueFd> Dial(VsockAddress host) {
  absl::StatusOr<UniqueFd> last = absl::UnavailableError("no port tried");
  for (uint32_t port = kFirstUnprivilegedPort - 1; port >= kFirstUnprivilegedPort - 16; --port) {
    last = StartConnectVsock(host.cid, host.port, port);
    if (last.ok()) return last;
  }
  return last;
}

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

void LogIfRefused(const absl::Status& status) {
  if (!status.ok()) LogWarning(StrCat("ignoring: ", MessageOf(status)));
}

absl::Status Run(const AgentConfig& config) {
  auto signals = CatchStopSignals();
  if (!signals.ok()) return signals.status();
  LogIfRefused(ExemptFromOomKiller());
  const SystemClock clock;
  const FileReader files(config.root);
  Listener::Options listening;
  if (auto status = OpenSockets(config, listening); !status.ok()) return status;
  Sensors sensors(files);
  auto trigger = PsiTrigger::Open(files);
  const AgentIdentity identity = Identify(files, sensors, MessageOf(trigger.status()));
  for (const Capability& capability : identity.capabilities) {
    if (!capability.reason.empty()) LogInfo(StrCat("without ", capability.name, ": ", capability.reason));
  }
  SampleLoop::Options sampling{
      .assumed_burst_bytes_per_second = config.assumed_burst_bytes_per_second,
      .page_size_bytes = identity.machine.page_size_bytes,
      .total_includes_balloon = identity.machine.balloon && identity.machine.balloon->deflate_on_oom,
      .on_thread_start = [] { LogIfRefused(RaiseThisThread()); }};
  auto loop = SampleLoop::Start(std::move(sensors),
                                trigger.ok() ? std::make_optional(*std::move(trigger)) : std::nullopt, clock,
                                std::move(sampling));
  if (!loop.ok()) return loop.status();
  GuestAgentService service(identity, **loop, clock);
  auto server = AgentServer::Start(service);
  if (!server.ok()) return server.status();
  listening.serve = [&](UniqueFd connection) { (*server)->Serve(std::move(connection)); };
  auto listener = Listener::Start(std::move(listening), clock);
  if (!listener.ok()) return listener.status();
  LogInfo(StrCat("ballast-agent ", BALLAST_VERSION, " serves ",
                 config.dial.empty() ? (config.vsock ? StrCat("vsock port ", config.vsock_port) : "no vsock")
                                     : StrCat("the host at ", config.dial),
                 config.socket.empty() ? "" : StrCat(" and ", config.socket)));
  WaitForStop(*signals);
  LogInfo("stopping");
  (*listener)->Stop();
  (*loop)->Stop();
  (*server)->Stop();
  if (!config.socket.empty()) ::unlink(config.socket.c_str());
  return absl::OkStatus();
}

int Main(int argc, const char* const* argv) {
  const auto options = ParseOptions(argc, argv);
  if (!options.ok()) {
    std::cerr << "ballast-agent: " << MessageOf(options.status()) << '\n';
    return kBadConfig;
  }
  switch (options->action) {
    case Action::kHelp:
      std::cout << options->help;
      return 0;
    case Action::kVersion:
      std::cout << "ballast-agent " << BALLAST_VERSION << '\n';
      return 0;
    case Action::kCheckConfig:
      return 0;
    case Action::kPrintConfig:
      std::cout << ToText(options->config);
      return 0;
    case Action::kRun:
      break;
  }
  SetLogLevel(options->config.log_level);
  if (auto status = Run(options->config); !status.ok()) {
    LogError(StrCat("ballast-agent cannot run: ", MessageOf(status)));
    return kCannotRun;
  }
  return 0;
}

}  // namespace
}  // namespace ballast::agent

int main(int argc, char** argv) { return ballast::agent::Main(argc, argv); }
