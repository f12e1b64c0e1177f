// The real ballast-bridge beside real guests: writes its configuration, starts it, reads its log.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/lab/child_process.h"
#include "tests/lab/guest.h"

namespace ballast::lab {

struct BridgeOptions {
  std::string directory;  // for the configuration and the log; must outlive the process
  std::string name = "bridge";
  std::string bridge_lines{};  // keys for [bridge]
  std::string guest_lines;     // more keys for every guest's section
  std::vector<std::string> arguments;
  uint32_t agent_port = kAgentPort;
};

// One line "command N: balloon to ...: accepted in A ms, written W ms after pressure began".
struct CommandLine {
  int64_t id = 0;
  double accepted_ms = 0;
  std::optional<double> after_onset_ms;
};

class BridgeProcess {
 public:
  [[nodiscard]] static absl::StatusOr<BridgeProcess> Start(const std::vector<Guest*>& guests,
                                                           const BridgeOptions& options);

  // Until it has read every guest's balloon and heard every agent.
  [[nodiscard]] absl::Status WaitUntilConnected(absl::Duration timeout);
  [[nodiscard]] absl::Status WaitForLog(const std::string& text, absl::Duration timeout, int times = 1) const;
  [[nodiscard]] std::string Log() const { return process_.Log(); }
  [[nodiscard]] std::vector<CommandLine> Commands() const;
  ChildProcess& Process() { return process_; }

 private:
  BridgeProcess(ChildProcess process, int guests) : process_(std::move(process)), guests_(guests) {}

  ChildProcess process_;
  int guests_;
};

// The receipts in a bridge's log, in order.
[[nodiscard]] std::vector<CommandLine> ParseCommands(const std::string& log);

}  // namespace ballast::lab
