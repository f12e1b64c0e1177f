// ballast-agent: tells whoever steers this guest how much memory it has left, and acts in it.
#include <iostream>
#include <string_view>

#include "common/base/text.h"
#include "common/os/log.h"
#include "guest-agent/act/helper_process.h"
#include "guest-agent/ask/ask_command.h"
#include "guest-agent/options.h"
#include "guest-agent/run_agent.h"
#include "guest-agent/survival/own_memory.h"

namespace ballast::agent {
namespace {

constexpr int kBadConfig = 2;
constexpr int kCannotRun = 1;

int Main(int argc, const char* const* argv) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (command == kActHelperCommand) return RunActHelper();
  if (command == "ask") return RunAsk(argc - 2, argv + 2, std::cout, std::cerr);
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
      std::cout << "ok\n";
      return 0;
    case Action::kPrintConfig:
      std::cout << ToText(options->config);
      return 0;
    case Action::kRun:
      break;
  }
  BoundMemory();
  SetLogLevel(options->config.log_level);
  if (auto status = RunAgent(options->config); !status.ok()) {
    LogError(StrCat("ballast-agent cannot run: ", MessageOf(status)));
    return kCannotRun;
  }
  return 0;
}

}  // namespace
}  // namespace ballast::agent

int main(int argc, char** argv) { return ballast::agent::Main(argc, argv); }
