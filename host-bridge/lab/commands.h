// The commands of ballast-lab. Each takes its arguments without its own name, writes to `out` and `err`, and
// returns an exit code of command_line.h.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace ballast::sim {

// Runs scenarios under one controller, prints the measures and holds Ballast to what the files promise of it.
int SimulateCommand(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err);

// Runs scenarios under many controllers and says who does what better.
int CompareCommand(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err);

// Decides again on what a bridge recorded.
int ReplayCommand(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err);

// Lists scenarios and controllers, with their sources.
int ListCommand(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err);

}  // namespace ballast::sim
