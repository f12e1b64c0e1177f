// The command line and the configuration file, into an AgentConfig.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "guest-agent/agent_config.h"

namespace ballast::agent {

enum class Action { kRun, kHelp, kVersion, kCheckConfig, kPrintConfig };

struct Options {
  Action action = Action::kRun;
  AgentConfig config;
  std::string help;  // for kHelp
};

// The command line goes before the file named by --config (default /etc/ballast/agent.conf, which need not
// exist; one that is named must). Errors: InvalidArgument with every fault, one a line.
[[nodiscard]] absl::StatusOr<Options> ParseOptions(int argc, const char* const* argv);

}  // namespace ballast::agent
