#include "tests/lab/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>

#include "absl/time/clock.h"
#include "common/base/text.h"
#include "tests/lab/spawner.h"

extern char** environ;

namespace ballast::lab {
namespace {

// Everything the child needs, prepared before the fork: after it only async-signal-safe calls are allowed.
struct Launch {
  std::vector<char*> argv;
  std::vector<std::string> environment_texts;
  std::vector<char*> environment;
  int output = -1;
  int error_pipe = -1;
  pid_t parent = 0;
};

Launch Prepare(const ChildOptions& options) {
  Launch launch;
  for (const std::string& argument : options.argv) launch.argv.push_back(const_cast<char*>(argument.c_str()));
  launch.argv.push_back(nullptr);
  for (const auto& [name, value] : options.environment) {
    launch.environment_texts.push_back(StrCat(name, "=", value));
  }
  // The first of two variables with one name wins, so the added ones come first.
  for (std::string& text : launch.environment_texts) launch.environment.push_back(text.data());
  for (char** variable = environ; *variable != nullptr; ++variable) launch.environment.push_back(*variable);
  launch.environment.push_back(nullptr);
  launch.parent = getpid();
  return launch;
}

[[noreturn]] void BecomeProgram(const Launch& launch) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != launch.parent) _exit(127);  // the parent died before the line above
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  setpgid(0, 0);  // Ctrl-C reaches the test alone, which ends its children in order
  const int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
  dup2(input, STDIN_FILENO);
  dup2(launch.output, STDOUT_FILENO);
  dup2(launch.output, STDERR_FILENO);
  execvpe(launch.argv[0], launch.argv.data(), launch.environment.data());
  const int error = errno;
  if (write(launch.error_pipe, &error, sizeof(error)) < 0) _exit(126);
  _exit(127);
}

}  // namespace

absl::StatusOr<ChildProcess> ChildProcess::Start(const ChildOptions& options) {
  if (options.argv.empty()) return absl::InvalidArgumentError("a child process needs a program");
  const std::string log_path = options.log_path.empty() ? "/dev/null" : options.log_path;
  const UniqueFd output(open(log_path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  if (!output.IsOpen()) return ErrnoStatus(errno, log_path.c_str());
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) return ErrnoStatus(errno, "pipe");
  const UniqueFd error_reader(pipe_ends[0]);
  UniqueFd error_writer(pipe_ends[1]);

  Launch launch = Prepare(options);
  launch.output = output.Get();
  launch.error_pipe = error_writer.Get();
  pid_t pid = -1;
  int fork_error = 0;
  RunOnForkingThread([&] {
    pid = fork();
    if (pid == 0) BecomeProgram(launch);
    fork_error = errno;
  });
  if (pid < 0) return ErrnoStatus(fork_error, "fork");

  UniqueFd pid_fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  ChildProcess child(pid, std::move(pid_fd), options.log_path);
  error_writer.Reset();
  int exec_error = 0;
  if (read(error_reader.Get(), &exec_error, sizeof(exec_error)) > 0) {
    return ErrnoStatus(exec_error, StrCat("start ", options.argv[0]).c_str());
  }
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept { *this = std::move(other); }

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this == &other) return *this;
  Kill();
  pid_ = std::exchange(other.pid_, 0);
  pid_fd_ = std::move(other.pid_fd_);
  log_path_ = std::move(other.log_path_);
  ended_ = other.ended_;
  status_ = other.status_;
  return *this;
}

ChildProcess::~ChildProcess() { Kill(); }

bool ChildProcess::IsRunning() { return pid_ != 0 && !Wait(absl::ZeroDuration()).ok(); }

void ChildProcess::Signal(int signal) {
  if (pid_ != 0 && !ended_) kill(pid_, signal);  // not reaped yet, so the pid is still ours
}

absl::StatusOr<int> ChildProcess::Wait(absl::Duration timeout) {
  if (pid_ == 0) return absl::FailedPreconditionError("no process was started");
  if (ended_) return status_;
  const absl::Time deadline = absl::Now() + timeout;
  pollfd watched{.fd = pid_fd_.Get(), .events = POLLIN, .revents = 0};
  int ready = 0;
  do {
    const int64_t left_ms = absl::ToInt64Milliseconds(deadline - absl::Now());
    ready = poll(&watched, 1, left_ms > 0 ? static_cast<int>(left_ms) : 0);
  } while (ready < 0 && errno == EINTR);
  if (ready == 0) {
    return absl::DeadlineExceededError(
        StrCat("process ", pid_, " still runs after ", absl::FormatDuration(timeout)));
  }
  int raw = 0;
  if (waitpid(pid_, &raw, 0) != pid_) return ErrnoStatus(errno, "waitpid");
  ended_ = true;
  status_ = WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
  return status_;
}

void ChildProcess::Kill() {
  if (pid_ == 0 || ended_) return;
  Signal(SIGKILL);
  int raw = 0;
  while (waitpid(pid_, &raw, 0) < 0 && errno == EINTR) {
  }
  ended_ = true;
  status_ = WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
}

std::string ChildProcess::Log() const { return ReadWholeFile(log_path_); }

std::string ReadWholeFile(const std::string& path) {
  const std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace ballast::lab
