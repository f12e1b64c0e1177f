#include "guest-agent/run_agent.h"

#include <unistd.h>

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "common/base/text.h"
#include "common/os/clock.h"
#include "common/os/log.h"
#include "common/os/stop_signal.h"
#include "guest-agent/act/acts.h"
#include "guest-agent/act/helper_process.h"
#include "guest-agent/hotplug.h"
#include "guest-agent/identify.h"
#include "guest-agent/open_sockets.h"
#include "guest-agent/service/agent_server.h"
#include "guest-agent/service/grpc_timers.h"
#include "guest-agent/service/listener.h"
#include "guest-agent/service/verdict_post.h"
#include "guest-agent/survival/own_memory.h"
#include "guest-agent/survival/survival.h"

namespace ballast::agent {
namespace {

// By then a host that is there has introduced itself and watches: what was in use until now and will not be
// again may go.
constexpr int kTurnsToSettle = static_cast<int>(Seconds(60).count / GrpcTimers::kTurn.count);

void LogLacks(const AgentIdentity& identity) {
  for (const Capability& capability : identity.capabilities) {
    if (!capability.reason.empty()) LogInfo(StrCat("without ", capability.name, ": ", capability.reason));
  }
}

void Protect(AgentIdentity& identity) {
  identity.self_checks = ProtectThisProcess(FileReader());
  for (const SelfCheck& check : identity.self_checks) {
    if (!check.obtained) LogWarning(StrCat("without ", check.name, ": ", check.detail));
  }
}

void LogAddresses(const AgentConfig& config) {
  LogInfo(StrCat("ballast-agent ", BALLAST_VERSION, " serves ",
                 config.dial.empty() ? (config.vsock ? StrCat("vsock port ", config.vsock_port) : "no vsock")
                                     : StrCat("the host at ", config.dial),
                 config.socket.empty() ? "" : StrCat(" and ", config.socket)));
}

void WaitUntilStopped(const UniqueFd& signals, const AgentConfig& config) {
  GrpcTimers timers;
  for (int turn = 1; !WaitForStop(signals, GrpcTimers::kTurn); ++turn) {
    timers.RunDue();
    if (turn == kTurnsToSettle && config.protect) DropColdPages();
  }
}

}  // namespace

absl::Status RunAgent(const AgentConfig& config) {
  auto signals = CatchStopSignals();
  if (!signals.ok()) return signals.status();
  const SystemClock clock;
  const FileReader files(config.root);
  // First: who connects while the rest is still starting waits, and is not turned away.
  Listener::Options listening;
  if (auto status = OpenSockets(config, listening); !status.ok()) return status;
  std::function<void()> raise;
  if (config.protect) raise = [] { (void)RaiseThisThread(); };
  auto oom = OomWatch::Open(files, clock,
                            {.bpf = config.bpf,
                             .kmsg = config.kmsg,
                             .page_size_bytes = ::sysconf(_SC_PAGESIZE),
                             .on_thread_start = raise});
  if (!oom.ok()) return oom.status();
  Sensors sensors(files);
  auto trigger = PsiTrigger::Open(files);
  AgentIdentity identity = Identify(files, sensors, **oom, MessageOf(trigger.status()));
  Hotplug hotplug(config, clock, raise, identity);
  LogLacks(identity);
  VerdictLog verdicts;
  auto loop = SampleLoop::Start(std::move(sensors),
                                trigger.ok() ? std::make_optional(*std::move(trigger)) : std::nullopt, clock,
                                {.assumed_burst_bytes_per_second = config.assumed_burst_bytes_per_second,
                                 .page_size_bytes = identity.machine.page_size_bytes,
                                 .on_thread_start = raise,
                                 .verdicts = &verdicts,
                                 .generation = identity.generation,
                                 .reclaim_stalls = [&oom] { return (*oom)->Stalls(); },
                                 .blocks = [&hotplug] { return hotplug.Facts(); },
                                 .watch = (*oom)->Memory()});
  if (!loop.ok()) return loop.status();
  VerdictPost post(verdicts, **loop);
  HelperProcessStarter helpers;
  Acts acts({config.root, identity.machine, {}}, helpers, clock);
  GuestAgentService service(identity, **loop, acts, hotplug.Acts(), clock);
  auto server = AgentServer::Start(service);
  if (!server.ok()) return server.status();
  if (config.protect) Protect(identity);  // before anybody can ask what was obtained
  listening.serve = [&](UniqueFd connection) { (*server)->Serve(std::move(connection)); };
  auto listener = Listener::Start(std::move(listening), clock);
  if (!listener.ok()) return listener.status();
  if (auto status = hotplug.Start(**loop); !status.ok()) return status;
  (*oom)->Start(post);  // last: from here on nothing returns before its Stop
  LogAddresses(config);
  WaitUntilStopped(*signals, config);
  LogInfo("stopping");
  (*listener)->Stop();
  (*oom)->Stop();
  (*loop)->Stop();
  (*server)->Stop();
  hotplug.Stop();  // last: what the last order took offline comes back as well
  if (!config.socket.empty()) ::unlink(config.socket.c_str());
  return absl::OkStatus();
}

}  // namespace ballast::agent
