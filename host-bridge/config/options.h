// The bridge's command line, and the runs that only answer something.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "host-bridge/config/bridge_config.h"

namespace ballast::config {

enum class Action { kRun, kCheckConfig, kPrintConfig, kHelp, kVersion };

struct Options {
  std::string config_path = "/etc/ballast/bridge.conf";
  Action action = Action::kRun;
  bool dry_run = false;
  std::optional<LogLevel> log_level;  // overrules the file's

  friend bool operator==(const Options&, const Options&) = default;
};

// `arguments` without the program's name. Errors say which argument is wrong.
[[nodiscard]] absl::StatusOr<Options> ParseOptions(const std::vector<std::string>& arguments);

// A run that ends at once: what to write where, and the exit code (0, or 2 for a wrong argument or
// configuration).
struct Answer {
  int exit_code = 0;
  std::string out;
  std::string err;
};

// All that stands between the command line and the work: the configuration to run with, or the answer to
// give.
[[nodiscard]] std::variant<BridgeConfig, Answer> Prepare(const std::vector<std::string>& arguments);

}  // namespace ballast::config
