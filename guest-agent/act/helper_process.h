// A helper that is a process of its own: this program again, as `ballast-agent act-helper`. It can be killed
// by the OOM killer like any other, dies with the agent, and is killed when an act is over time.
#pragma once

#include <sys/types.h>

#include <mutex>
#include <string>
#include <vector>

#include "guest-agent/act/helper.h"

namespace ballast::agent {

inline constexpr const char* kActHelperCommand = "act-helper";
// What process lists show, so that a look for the agent by its name finds one process. At most 15 bytes.
inline constexpr const char* kActHelperName = "ballast-helper";

// Thread-safe.
class HelperProcessStarter final : public HelperStarter {
 public:
  explicit HelperProcessStarter(std::string program = "/proc/self/exe") : program_(std::move(program)) {}
  ~HelperProcessStarter() override;

  [[nodiscard]] absl::StatusOr<std::unique_ptr<Helper>> Start() override;

  // Takes over a killed child that has not gone yet. For the helpers themselves.
  void Abandon(pid_t pid);

 private:
  const std::string program_;
  std::mutex mutex_;
  std::vector<pid_t> abandoned_;
};

// The helper's own side: carries out orders from file descriptor 0 until that is closed. Returns its exit
// code.
[[nodiscard]] int RunActHelper();

}  // namespace ballast::agent
