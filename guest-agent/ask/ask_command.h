// `ballast-agent ask`: a tool's way to ask the host for memory before it kills something.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>

#include "absl/status/statusor.h"
#include "guest-agent/ask/memory_request.h"

namespace ballast::agent {

struct AskOptions {
  int64_t bytes = 0;
  Urgency urgency = Urgency::kNormal;
  int64_t deadline_ms = 2000;  // 1..60000
  std::string socket = "/run/ballast/agent.sock";
  std::string asker = "ballast-agent ask";
  bool json = false;
  bool help = false;
};

// `arguments` without the program's name and "ask". Errors: InvalidArgument with every fault, one a line.
[[nodiscard]] absl::StatusOr<AskOptions> ParseAskOptions(int argc, const char* const* argv);
[[nodiscard]] std::string AskHelp();

// The answer, in words or as one JSON object on one line.
[[nodiscard]] std::string ToText(const AskOptions& options, const MemoryGrant& grant);
[[nodiscard]] std::string ToJson(const AskOptions& options, const MemoryGrant& grant);

// 0: all was granted, 1: nothing, or an error, 3: a part.
[[nodiscard]] int ExitCodeOf(const AskOptions& options, const MemoryGrant& grant);

// Asks over the agent's local socket and waits. Errors: the agent's, or why it cannot be reached.
[[nodiscard]] absl::StatusOr<MemoryGrant> AskAgent(const AskOptions& options);

// The whole command; returns its exit code.
[[nodiscard]] int RunAsk(int argc, const char* const* argv, std::ostream& out, std::ostream& error);

}  // namespace ballast::agent
