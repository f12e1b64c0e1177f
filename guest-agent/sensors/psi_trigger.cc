#include "guest-agent/sensors/psi_trigger.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "common/base/text.h"

namespace ballast::agent {
namespace {

constexpr int64_t kThresholdUs = 100'000;
constexpr int64_t kWindowUs = 1'000'000;
constexpr int64_t kUnprivilegedWindowUs = 2'000'000;

// 0 or the errno of the write. The line end matters: the kernel overwrites the last byte with a NUL.
int Ask(int fd, int64_t window_us) {
  const std::string text = StrCat("some ", kThresholdUs, " ", window_us, "\n");
  return ::write(fd, text.data(), text.size()) < 0 ? errno : 0;
}

}  // namespace

absl::StatusOr<PsiTrigger> PsiTrigger::Open(const FileReader& files) {
  const std::string path = files.PathOf("/proc/pressure/memory");
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd.IsOpen()) return ErrnoStatus(errno, path.c_str());
  struct statfs system {};
  if (::fstatfs(fd.Get(), &system) != 0 || system.f_type != PROC_SUPER_MAGIC) {
    return absl::FailedPreconditionError(StrCat(path, " is not a file of the kernel"));
  }
  for (const int64_t window_us : {kWindowUs, kUnprivilegedWindowUs}) {
    const int error = Ask(fd.Get(), window_us);
    if (error == 0) return PsiTrigger(std::move(fd), kThresholdUs, window_us);
    if (error != EINVAL && error != EPERM) return ErrnoStatus(error, path.c_str());
  }
  return absl::FailedPreconditionError(StrCat(path, ": the kernel takes no trigger from this process"));
}

}  // namespace ballast::agent
