#include "guest-agent/act/helper_process.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <string_view>
#include <thread>

#include "common/base/text.h"
#include "common/os/unique_fd.h"

namespace ballast::agent {
namespace {

// How often the watch is asked while an order is under way: a fifth of the brake's window.
constexpr int kWatchMs = 20;
// A killed process is gone at once, unless it is inside a part of the kernel that takes no signal.
constexpr auto kGoneWithin = std::chrono::milliseconds(500);

// True when the child was reaped.
bool Reap(pid_t pid, std::chrono::milliseconds within) {
  const auto until = std::chrono::steady_clock::now() + within;
  while (true) {
    const pid_t reaped = ::waitpid(pid, nullptr, WNOHANG);
    if (reaped == pid || (reaped < 0 && errno == ECHILD)) return true;
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

class HelperProcess final : public Helper {
 public:
  HelperProcess(HelperProcessStarter& starter, pid_t pid, UniqueFd orders)
      : starter_(starter), pid_(pid), orders_(std::move(orders)) {}
  ~HelperProcess() override {
    orders_.Reset();  // the helper's sign to end
    if (pid_ > 0 && !Reap(pid_, std::chrono::milliseconds(50))) Kill();
  }
  HelperProcess(const HelperProcess&) = delete;
  HelperProcess& operator=(const HelperProcess&) = delete;

  absl::StatusOr<Outcome> Do(const Order& order, const StopWatch& watch) override;

 private:
  void Kill() {
    ::kill(pid_, SIGKILL);
    if (!Reap(pid_, kGoneWithin)) starter_.Abandon(pid_);
    pid_ = 0;
  }

  HelperProcessStarter& starter_;
  pid_t pid_;
  UniqueFd orders_;
};

absl::Status Died() { return absl::UnavailableError("the act's helper process has died"); }

absl::StatusOr<Outcome> ReadOutcome(int fd) {
  std::array<char, 512> reply;
  const ssize_t n = ::recv(fd, reply.data(), reply.size(), 0);
  if (n <= 0) return Died();
  const std::string_view text(reply.data(), static_cast<size_t>(n));
  Outcome outcome;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), outcome.error);
  const size_t digits = static_cast<size_t>(end - text.data());
  if (error != std::errc{} || digits >= text.size()) return Died();
  outcome.text = text.substr(digits + 1);
  return outcome;
}

absl::StatusOr<Outcome> HelperProcess::Do(const Order& order, const StopWatch& watch) {
  if (pid_ == 0) return Died();
  std::string message(1, static_cast<char>(order.kind));
  message += order.path;
  message += '\0';
  message += order.text;
  if (::send(orders_.Get(), message.data(), message.size(), MSG_NOSIGNAL) < 0) return Died();
  while (true) {
    pollfd polled{orders_.Get(), POLLIN, 0};
    const int ready = ::poll(&polled, 1, kWatchMs);
    if (ready > 0) return ReadOutcome(orders_.Get());
    if (ready < 0 && errno != EINTR) return ErrnoStatus(errno, "poll");
    if (const auto stop = watch()) {
      Kill();
      return Outcome{stop, 0, ""};
    }
  }
}

// Starts `program` with the other end as its descriptor 0, no signal blocked and SIGPIPE as usual.
absl::StatusOr<pid_t> Spawn(const std::string& program, int orders) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, orders, STDIN_FILENO);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t piped;
  ::sigemptyset(&none);
  ::sigemptyset(&piped);
  ::sigaddset(&piped, SIGPIPE);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &piped);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::string name = kActHelperName;
  std::string command = kActHelperCommand;
  std::array<char*, 3> argv{name.data(), command.data(), nullptr};
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, program.c_str(), &actions, &attributes, argv.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return ErrnoStatus(error, "starting the act's helper process");
  return pid;
}

}  // namespace

HelperProcessStarter::~HelperProcessStarter() {
  for (const pid_t pid : abandoned_) (void)::waitpid(pid, nullptr, WNOHANG);
}

absl::StatusOr<std::unique_ptr<Helper>> HelperProcessStarter::Start() {
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(abandoned_, [](pid_t pid) { return Reap(pid, std::chrono::milliseconds(0)); });
    if (!abandoned_.empty()) {
      return absl::ResourceExhaustedError(StrCat("the helper of an earlier act (process ", abandoned_.front(),
                                                 ") is still inside the kernel"));
    }
  }
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return ErrnoStatus(errno, "socketpair");
  }
  UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  const auto pid = Spawn(program_, theirs.Get());
  if (!pid.ok()) return pid.status();
  return std::make_unique<HelperProcess>(*this, *pid, std::move(ours));
}

void HelperProcessStarter::Abandon(pid_t pid) {
  const std::lock_guard lock(mutex_);
  abandoned_.push_back(pid);
}

}  // namespace ballast::agent
