// ballast-agent: tells whoever steers this guest how much memory it has left.
#include <unistd.h>

#include <functional>
#include <iostream>
#include <memory>
#include <utility>

#include "common/base/text.h"
#include "common/os/clock.h"
#include "common/os/log.h"
#include "common/os/stop_signal.h"
#include "guest-agent/identify.h"
#include "guest-agent/open_sockets.h"
#include "guest-agent/options.h"
#include "guest-agent/service/agent_server.h"
#include "guest-agent/service/listener.h"
#include "guest-agent/service/verdict_post.h"
#include "guest-agent/survival/own_memory.h"
#include "guest-agent/survival/survival.h"

namespace ballast::agent {
namespace {

constexpr int kBadConfig = 2;
constexpr int kCannotRun = 1;

// By then a host that is there has introduced itself and watches: what was in use until now and will not be
// again may go.
constexpr Nanos kSettled = Seconds(60);

absl::Status Run(const AgentConfig& config) {
  auto signals = CatchStopSignals();
  if (!signals.ok()) return signals.status();
  const SystemClock clock;
  const FileReader files(config.root);
  std::function<void()> raise;
  if (config.protect) raise = [] { (void)RaiseThisThread(); };
  auto oom = OomWatch::Open(files, clock,
                            {.bpf = config.bpf,
                             .kmsg = config.kmsg,
                             .page_size_bytes = ::sysconf(_SC_PAGESIZE),
                             .on_thread_start = raise});
  if (!oom.ok()) return oom.status();
  Listener::Options listening;
  if (auto status = OpenSockets(config, listening); !status.ok()) return status;
  Sensors sensors(files);
  auto trigger = PsiTrigger::Open(files);
  AgentIdentity identity = Identify(files, sensors, **oom, MessageOf(trigger.status()));
  for (const Capability& capability : identity.capabilities) {
    if (!capability.reason.empty()) LogInfo(StrCat("without ", capability.name, ": ", capability.reason));
  }
  VerdictLog verdicts;
  SampleLoop::Options sampling{
      .assumed_burst_bytes_per_second = config.assumed_burst_bytes_per_second,
      .page_size_bytes = identity.machine.page_size_bytes,
      .total_includes_balloon = identity.machine.balloon && identity.machine.balloon->deflate_on_oom,
      .on_thread_start = raise,
      .verdicts = &verdicts,
      .generation = identity.generation,
      .reclaim_stalls = [&oom] { return (*oom)->Stalls(); }};
  auto loop = SampleLoop::Start(std::move(sensors),
                                trigger.ok() ? std::make_optional(*std::move(trigger)) : std::nullopt, clock,
                                std::move(sampling));
  if (!loop.ok()) return loop.status();
  VerdictPost post(verdicts, **loop);
  GuestAgentService service(identity, **loop, clock);
  auto server = AgentServer::Start(service);
  if (!server.ok()) return server.status();
  if (config.protect) identity.self_checks = ProtectThisProcess(FileReader());
  for (const SelfCheck& check : identity.self_checks) {
    if (!check.obtained) LogWarning(StrCat("without ", check.name, ": ", check.detail));
  }
  listening.serve = [&](UniqueFd connection) { (*server)->Serve(std::move(connection)); };
  auto listener = Listener::Start(std::move(listening), clock);
  if (!listener.ok()) return listener.status();
  (*oom)->Start(post);  // last: from here on nothing returns before its Stop
  LogInfo(StrCat("ballast-agent ", BALLAST_VERSION, " serves ",
                 config.dial.empty() ? (config.vsock ? StrCat("vsock port ", config.vsock_port) : "no vsock")
                                     : StrCat("the host at ", config.dial),
                 config.socket.empty() ? "" : StrCat(" and ", config.socket)));
  if (!WaitForStop(*signals, kSettled)) {
    if (config.protect) DropColdPages();
    WaitForStop(*signals);
  }
  LogInfo("stopping");
  (*listener)->Stop();
  (*oom)->Stop();
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
  BoundHeap();
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
