#include "guest-agent/survival.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "common/os/unique_fd.h"

namespace ballast::agent {

absl::Status ExemptFromOomKiller() {
  constexpr const char* kPath = "/proc/self/oom_score_adj";
  constexpr std::string_view kNever = "-1000\n";
  const UniqueFd fd(::open(kPath, O_WRONLY | O_CLOEXEC));
  if (!fd.IsOpen() || ::write(fd.Get(), kNever.data(), kNever.size()) < 0) return ErrnoStatus(errno, kPath);
  return absl::OkStatus();
}

absl::Status RaiseThisThread() {
  sched_param parameters{};
  parameters.sched_priority = ::sched_get_priority_min(SCHED_FIFO);
  if (::sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameters) == 0) return absl::OkStatus();
  // On Linux 0 means the calling thread, not the process.
  if (::setpriority(PRIO_PROCESS, 0, -20) == 0) return absl::OkStatus();
  return ErrnoStatus(errno, "priority of the sampling thread");
}

}  // namespace ballast::agent
