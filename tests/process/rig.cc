#include "tests/process/rig.h"

#include <csignal>
#include <fstream>
#include <functional>

#include "absl/time/clock.h"
#include "common/base/text.h"

namespace ballast::process {
namespace {

lab::Workspace CreateWorkspace() {
  auto workspace = lab::Workspace::Create();
  if (!workspace.ok()) std::abort();
  return *std::move(workspace);
}

bool Eventually(absl::Duration limit, const std::function<bool()>& holds) {
  const absl::Time deadline = absl::Now() + limit;
  while (!holds()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(2));
  }
  return true;
}

bool EndsInOrder(lab::ChildProcess& child) {
  child.Signal(SIGTERM);
  const auto status = child.Wait(absl::Seconds(20));
  return status.ok() && *status == 0;
}

}  // namespace

Rig::Rig(const RigOptions& options) : options_(options), workspace_(CreateWorkspace()) {
  tree_ = std::make_unique<fakes::GuestTree>(workspace_.Path("guest"), options.total_bytes,
                                             options.available_bytes);
  host_ = std::make_unique<fakes::GuestTree>(workspace_.Path("host"), 32 * kGiB, 16 * kGiB);
  fakes::FakeQmpOptions qmp;
  qmp.socket_path = workspace_.Path("qmp");
  qmp.boot_bytes = options.boot_bytes;
  qmp_ = std::make_unique<fakes::FakeQmp>(qmp);
  if (!options.with_hung_neighbour) return;
  qmp.socket_path = workspace_.Path("hung.qmp");
  qmp.greeting_delay = Seconds(3600);
  hung_ = std::make_unique<fakes::FakeQmp>(qmp);
}

Rig::~Rig() = default;

void Rig::StartAgent() {
  lab::ChildOptions child;
  child.argv = {BALLAST_AGENT, "--root", tree_->Root(), "--no-vsock"};
  child.argv.insert(child.argv.end(), {"--socket", AgentSocket()});
  child.log_path = workspace_.Path("agent.log");
  auto started = lab::ChildProcess::Start(child);
  if (!started.ok()) std::abort();
  agent_ = *std::move(started);
}

void Rig::StartBridge(const std::vector<std::string>& more_arguments) {
  const std::string config = workspace_.Path("bridge.conf");
  std::ofstream file(config);
  file << "[bridge]\nhost-root = " << host_->Root() << "\n"
       << (options_.with_journal ? "journal = " + Journal() : "") << "\n[policy]\n"
       << options_.policy_lines << "\n[guest web]\ncontrol = " << qmp_->Path()
       << "\nagent = unix:" << AgentSocket() << "\n"
       << options_.guest_lines << "\n";
  if (hung_)
    file << "[guest neighbour]\ncontrol = " << hung_->Path() << "\nagent = unix:/nowhere/agent.sock\n";
  file.close();
  lab::ChildOptions child;
  child.argv = {BALLAST_BRIDGE, "--config", config};
  child.argv.insert(child.argv.end(), more_arguments.begin(), more_arguments.end());
  child.log_path = workspace_.Path("bridge.log");
  bridge_log_start_ = lab::ReadWholeFile(child.log_path).size();
  auto started = lab::ChildProcess::Start(child);
  if (!started.ok()) std::abort();
  bridge_ = *std::move(started);
}

void Rig::Balloon(int64_t bytes) { qmp_->SetActual(BalloonBytes{bytes}); }

std::string Rig::BridgeLog() const {
  return lab::ReadWholeFile(workspace_.Path("bridge.log")).substr(bridge_log_start_);
}

bool Rig::BridgeSays(const std::string& text, int times, absl::Duration limit) {
  return Eventually(limit, [&] {
    const std::string log = BridgeLog();
    int found = 0;
    for (size_t at = log.find(text); at != std::string::npos; at = log.find(text, at + 1)) ++found;
    return found >= times;
  });
}

bool Rig::BalloonBecomes(int64_t bytes, absl::Duration limit) const {
  return Eventually(limit, [&] { return qmp_->Target().count == bytes; });
}

bool Rig::AllAlive() { return agent_.IsRunning() && bridge_.IsRunning(); }
bool Rig::StopBridge() { return EndsInOrder(bridge_); }
bool Rig::StopAgent() { return EndsInOrder(agent_); }

}  // namespace ballast::process
