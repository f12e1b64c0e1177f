// A program started by a test, which never outlives it: whatever ends the test, SIGKILL included, the kernel
// kills the program (PR_SET_PDEATHSIG).
//
// The kernel sends that signal when the *thread* that forked ends. All forking is therefore done by one
// thread that lives as long as the process; Start may be called from any thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/os/unique_fd.h"

namespace ballast::lab {

struct ChildOptions {
  std::vector<std::string> argv{};  // argv[0] is looked up in $PATH unless it has a slash
  std::string log_path{};           // receives stdout and stderr, appended; empty: /dev/null
  std::vector<std::pair<std::string, std::string>> environment{};  // added to the parent's
};

class ChildProcess {
 public:
  // Errors: what kept the program from starting, exec's own failure included.
  [[nodiscard]] static absl::StatusOr<ChildProcess> Start(const ChildOptions& options);

  ChildProcess() = default;  // no process
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess();  // kills it

  [[nodiscard]] pid_t pid() const { return pid_; }  // 0: no process
  [[nodiscard]] bool IsRunning();
  // Nothing happens when it has ended: a pid that may belong to somebody else is never signalled.
  void Signal(int signal);
  // The exit status, or 128 + the signal that ended it. DEADLINE_EXCEEDED when it still runs.
  [[nodiscard]] absl::StatusOr<int> Wait(absl::Duration timeout);
  // SIGKILL, and wait for it.
  void Kill();
  // What it has written so far.
  [[nodiscard]] std::string Log() const;

 private:
  ChildProcess(pid_t pid, UniqueFd pid_fd, std::string log_path)
      : pid_(pid), pid_fd_(std::move(pid_fd)), log_path_(std::move(log_path)) {}

  pid_t pid_ = 0;
  UniqueFd pid_fd_;
  std::string log_path_;
  bool ended_ = false;
  int status_ = 0;
};

// The whole of a file; empty when it cannot be read.
[[nodiscard]] std::string ReadWholeFile(const std::string& path);

}  // namespace ballast::lab
