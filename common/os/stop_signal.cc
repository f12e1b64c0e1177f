#include "common/os/stop_signal.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace ballast {

absl::StatusOr<UniqueFd> CatchStopSignals() {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  if (::pthread_sigmask(SIG_BLOCK, &set, nullptr) != 0) return ErrnoStatus(errno, "pthread_sigmask");
  UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC));
  if (!fd.IsOpen()) return ErrnoStatus(errno, "signalfd");
  return fd;
}

void WaitForStop(const UniqueFd& signals) {
  signalfd_siginfo info{};
  while (::read(signals.Get(), &info, sizeof info) < 0 && errno == EINTR) {
  }
}

bool WaitForStop(const UniqueFd& signals, Nanos at_most) {
  pollfd polled{signals.Get(), POLLIN, 0};
  if (::poll(&polled, 1, static_cast<int>(at_most.count / Milliseconds(1).count)) <= 0) return false;
  WaitForStop(signals);
  return true;
}

}  // namespace ballast
