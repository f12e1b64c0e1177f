// A shell command inside a guest, run by `lab-guest serve`.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/lab/stream.h"

namespace ballast::lab {

inline constexpr uint32_t kCommandPort = 5000;

struct ExecResult {
  int status = 0;      // exit status, or 128 + signal (137: killed, for instance by the OOM killer)
  std::string output;  // stdout and stderr as they came
};

// A command that runs while the test does something else. Destroying it kills the command.
class GuestCommand {
 public:
  [[nodiscard]] static absl::StatusOr<GuestCommand> Start(const Address& server, const std::string& command,
                                                          absl::Time deadline);

  // Waits for the end. DEADLINE_EXCEEDED: it still runs, and Wait may be called again. UNAVAILABLE: the guest
  // went away. Output beyond the socket's buffers (64 KiB) stops the command until somebody waits.
  [[nodiscard]] absl::StatusOr<ExecResult> Wait(absl::Duration timeout);

 private:
  explicit GuestCommand(Stream stream) : stream_(std::move(stream)) {}

  Stream stream_;
  std::string output_;
};

}  // namespace ballast::lab
