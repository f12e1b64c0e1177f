// ballast-lab: simulates Ballast and its rivals, compares them, and replays journals.
#include <array>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "host-bridge/lab/command_line.h"
#include "host-bridge/lab/commands.h"

namespace {

constexpr std::string_view kUsage =
    "usage: ballast-lab COMMAND [ARGUMENTS]\n\n"
    "  simulate SCENARIO...   run scenarios under one controller and hold Ballast to what they promise\n"
    "  compare [SCENARIO...]  run scenarios under Ballast and its rivals; tables, and a page with charts\n"
    "  replay JOURNAL...      decide again on what a bridge recorded, and show the differences\n"
    "  list                   the scenarios and controllers there are\n\n"
    "Each command has --help. --version prints the version.\n"
    "exit code: 0 fine, 1 an expectation missed or a recorded decision not repeated, 2 a wrong argument or "
    "file\n";

struct Command {
  std::string_view name;
  int (*run)(const std::vector<std::string>&, std::ostream&, std::ostream&);
};

constexpr std::array<Command, 4> kCommands = {{{"simulate", ballast::sim::SimulateCommand},
                                               {"compare", ballast::sim::CompareCommand},
                                               {"replay", ballast::sim::ReplayCommand},
                                               {"list", ballast::sim::ListCommand}}};

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty()) {
    std::cerr << kUsage;
    return ballast::sim::kExitUsage;
  }
  if (words.front() == "--help" || words.front() == "help") {
    std::cout << kUsage;
    return ballast::sim::kExitOk;
  }
  if (words.front() == "--version") {
    std::cout << "ballast-lab " << BALLAST_VERSION << "\n";
    return ballast::sim::kExitOk;
  }
  for (const Command& command : kCommands) {
    if (command.name != words.front()) continue;
    const int code = command.run({words.begin() + 1, words.end()}, std::cout, std::cerr);
    if (std::cout.flush()) return code;
    std::cerr << "ballast-lab: the output cannot be written\n";
    return ballast::sim::kExitUsage;
  }
  std::cerr << "ballast-lab: no command '" << words.front() << "'; see --help\n";
  return ballast::sim::kExitUsage;
}
