// ballast-bridge: reads its configuration, runs until SIGINT or SIGTERM.
#include <cstdio>
#include <string>
#include <variant>
#include <vector>

#include "common/base/text.h"
#include "common/os/clock.h"
#include "common/os/log.h"
#include "common/os/stop_signal.h"
#include "host-bridge/bridge.h"
#include "host-bridge/config/options.h"

namespace {

int Serve(const ballast::config::BridgeConfig& config) {
  using namespace ballast;
  SetLogLevel(config.log_level);
  absl::StatusOr<UniqueFd> signals = CatchStopSignals();
  if (!signals.ok()) {
    LogError(MessageOf(signals.status()));
    return 1;
  }
  const SystemClock clock;
  auto bridge = bridge::Bridge::Create(config, clock,
                                       [](LogLevel level, const std::string& text) { Log(level, text); });
  if (!bridge.ok()) {
    LogError(MessageOf(bridge.status()));
    return 1;
  }
  LogInfo(StrCat("ballast-bridge ", BALLAST_VERSION, ": ", config.guests.size(), " guest(s)",
                 config.dry_run ? ", dry run: nothing is changed" : ""));
  if (const absl::Status started = (*bridge)->Start(); !started.ok()) {
    LogError(MessageOf(started));
    return 1;
  }
  WaitForStop(*signals);
  LogInfo("stopping; balloons stay as they are");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto prepared = ballast::config::Prepare(std::vector<std::string>(argv + 1, argv + argc));
  if (const auto* answer = std::get_if<ballast::config::Answer>(&prepared)) {
    // Not fputs: a faulty file may hold NUL bytes, and its text is quoted.
    std::fwrite(answer->out.data(), 1, answer->out.size(), stdout);
    std::fwrite(answer->err.data(), 1, answer->err.size(), stderr);
    return answer->exit_code;
  }
  return Serve(std::get<ballast::config::BridgeConfig>(prepared));
}
