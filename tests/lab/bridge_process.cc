#include "tests/lab/bridge_process.h"

#include <cstdio>
#include <fstream>
#include <sstream>

#include "absl/time/clock.h"
#include "common/base/text.h"

namespace ballast::lab {
namespace {

int CountOf(const std::string& text, const std::string& what) {
  int count = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + what.size())) ++count;
  return count;
}

}  // namespace

absl::StatusOr<BridgeProcess> BridgeProcess::Start(const std::vector<Guest*>& guests,
                                                   const BridgeOptions& options) {
  const std::string config = StrCat(options.directory, "/", options.name, ".conf");
  std::ofstream file(config);
  file << "[bridge]\n" << options.bridge_lines << "\n";
  for (const Guest* guest : guests) {
    file << "[guest " << guest->options().name << "]\ncontrol = " << guest->bridge_qmp_path()
         << "\nagent = " << FormatAddress(guest->PortAddress(options.agent_port)) << "\n"
         << options.guest_lines << "\n";
  }
  file.close();
  if (!file) return absl::InternalError(StrCat(config, ": cannot be written"));
  ChildOptions child;
  child.argv = {BALLAST_BRIDGE, "--config", config};
  child.argv.insert(child.argv.end(), options.arguments.begin(), options.arguments.end());
  child.log_path = StrCat(options.directory, "/", options.name, ".log");
  auto process = ChildProcess::Start(child);
  if (!process.ok()) return process.status();
  return BridgeProcess(*std::move(process), static_cast<int>(guests.size()));
}

absl::Status BridgeProcess::WaitForLog(const std::string& text, absl::Duration timeout, int times) const {
  const absl::Time deadline = absl::Now() + timeout;
  while (CountOf(Log(), text) < times) {
    if (absl::Now() > deadline) {
      return absl::DeadlineExceededError(StrCat("the bridge did not say '", text, "'; it said:\n", Log()));
    }
    absl::SleepFor(absl::Milliseconds(5));
  }
  return absl::OkStatus();
}

absl::Status BridgeProcess::WaitUntilConnected(absl::Duration timeout) {
  absl::Status status = WaitForLog(": vmm: connected", timeout, guests_);
  if (status.ok()) status = WaitForLog(": agent: ", timeout, guests_);
  if (status.ok()) status = WaitForLog("version ", timeout, guests_);
  return status;
}

std::vector<CommandLine> BridgeProcess::Commands() const { return ParseCommands(Log()); }

std::vector<CommandLine> ParseCommands(const std::string& log) {
  std::vector<CommandLine> commands;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    const size_t at = line.find(": command ");
    const size_t accepted = line.find(": accepted in ");
    if (at == std::string::npos || accepted == std::string::npos) continue;
    CommandLine command;
    if (std::sscanf(line.c_str() + at, ": command %ld", &command.id) != 1) continue;
    if (std::sscanf(line.c_str() + accepted, ": accepted in %lf", &command.accepted_ms) != 1) continue;
    double after = 0;
    const size_t written = line.find(", written ");
    if (written != std::string::npos && std::sscanf(line.c_str() + written, ", written %lf", &after) == 1) {
      command.after_onset_ms = after;
    }
    commands.push_back(command);
  }
  return commands;
}

}  // namespace ballast::lab
