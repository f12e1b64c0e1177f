// The real ballast-agent and the real ballast-bridge on one machine, around a guest that is a directory and a
// VMM that is a fake monitor. Everything but the kernel and the VM is what users run.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/base/units.h"
#include "tests/fakes/fake_qmp.h"
#include "tests/fakes/guest_tree.h"
#include "tests/lab/child_process.h"
#include "tests/lab/workspace.h"

namespace ballast::process {

struct RigOptions {
  int64_t boot_bytes = kGiB;
  int64_t total_bytes = 220 * kMiB;  // MemTotal with the balloon inflated
  int64_t available_bytes = 150 * kMiB;
  std::string guest_lines;           // more keys for the guest's section
  std::string policy_lines;          // keys for [policy]
  bool with_journal = false;         // the bridge records to Journal()
  bool with_hung_neighbour = false;  // a second guest whose monitor accepts and never greets
};

class Rig {
 public:
  explicit Rig(const RigOptions& options = {});
  ~Rig();

  void StartAgent();
  void StartBridge(const std::vector<std::string>& more_arguments = {});
  // The balloon as an operator left it before the bridge came: `bytes` taken.
  void Balloon(int64_t bytes);

  // Waits until the bridge's log (since its start) has `text`, at least `times`.
  [[nodiscard]] bool BridgeSays(const std::string& text, int times = 1,
                                absl::Duration limit = absl::Seconds(20));
  // Waits until the bridge has asked for this balloon (bytes taken); how often so far does not matter.
  [[nodiscard]] bool BalloonBecomes(int64_t bytes, absl::Duration limit = absl::Seconds(20)) const;
  // Both programs are still there; a sanitizer's report or a crash would have ended them.
  [[nodiscard]] bool AllAlive();
  // Ends the program in order and says whether its exit code was 0 (a sanitizer's findings are not).
  [[nodiscard]] bool StopBridge();
  [[nodiscard]] bool StopAgent();

  fakes::GuestTree& Guest() { return *tree_; }
  fakes::FakeQmp& Vmm() { return *qmp_; }
  lab::ChildProcess& Agent() { return agent_; }
  lab::ChildProcess& Bridge() { return bridge_; }
  [[nodiscard]] std::string AgentSocket() const { return workspace_.Path("agent.sock"); }
  [[nodiscard]] std::string BridgeLog() const;
  [[nodiscard]] std::string Journal() const { return workspace_.Path("bridge.journal"); }
  [[nodiscard]] const lab::Workspace& Files() const { return workspace_; }

 private:
  RigOptions options_;
  lab::Workspace workspace_;
  std::unique_ptr<fakes::GuestTree> tree_;
  std::unique_ptr<fakes::GuestTree> host_;
  std::unique_ptr<fakes::FakeQmp> qmp_;
  std::unique_ptr<fakes::FakeQmp> hung_;
  lab::ChildProcess agent_;
  lab::ChildProcess bridge_;
  size_t bridge_log_start_ = 0;
};

}  // namespace ballast::process
