#include "guest-agent/survival/survival.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <thread>

#include "common/base/text.h"
#include "common/base/units.h"
#include "common/os/unique_fd.h"
#include "guest-agent/survival/cgroup_protection.h"
#include "guest-agent/survival/own_memory.h"

namespace ballast::agent {
namespace {

// About twice what the agent has in use, what its sockets hold in the kernel included.
constexpr int64_t kProtectedBytes = 16 * kMiB;

// Of this process itself, wherever `files` lie.
absl::Status ExemptFromOomKiller() {
  constexpr const char* kPath = "/proc/self/oom_score_adj";
  constexpr std::string_view kNever = "-1000\n";
  const UniqueFd fd(::open(kPath, O_WRONLY | O_CLOEXEC));
  if (!fd.IsOpen() || ::write(fd.Get(), kNever.data(), kNever.size()) < 0) return ErrnoStatus(errno, kPath);
  return absl::OkStatus();
}

absl::Status RaisePriority() {
  sched_param parameters{};
  parameters.sched_priority = ::sched_get_priority_min(SCHED_FIFO);
  if (::sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameters) == 0) return absl::OkStatus();
  // On Linux 0 means the calling thread, not the process.
  if (::setpriority(PRIO_PROCESS, 0, -20) == 0) return absl::OkStatus();
  return ErrnoStatus(errno, "priority");
}

// Asked in a thread of its own: whoever starts the agent shall not stay raised.
absl::Status MayRaise() {
  absl::Status status;
  std::thread([&status] { status = RaisePriority(); }).join();
  return status;
}

SelfCheck Said(std::string name, const absl::Status& status, std::string obtained) {
  if (status.ok()) return {std::move(name), true, std::move(obtained)};
  return {std::move(name), false, MessageOf(status)};
}

}  // namespace

std::vector<SelfCheck> ProtectThisProcess(const FileReader& files) {
  std::vector<SelfCheck> checks;
  checks.push_back(Said("oom_exempt", ExemptFromOomKiller(), "oom_score_adj -1000"));
  const auto group = ProtectByCgroup(files, ::getpid(), kProtectedBytes);
  checks.push_back(Said("memory_min", group.status(), group.ok() ? *group : ""));
  checks.push_back(Said("priority", MayRaise(), "of threads that a report passes"));
  checks.push_back(Said("memory_locked", LockMemory(), "each page once it was touched"));
  return checks;
}

absl::Status RaiseThisThread() {
  PrefaultStack();
  return RaisePriority();
}

}  // namespace ballast::agent
