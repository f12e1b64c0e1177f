#include "common/os/stop_signal.h"

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

}  // namespace ballast
