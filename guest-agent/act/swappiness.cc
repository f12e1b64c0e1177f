#include "guest-agent/act/swappiness.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "common/base/text.h"
#include "common/kernel/number_field.h"
#include "common/os/unique_fd.h"

namespace ballast::agent {
namespace {

constexpr char kPath[] = "/proc/sys/vm/swappiness";
constexpr int32_t kOldMaximum = 100;  // of kernels before cgroup v2's idea of swap on fast devices

absl::StatusOr<int32_t> Read(const FileReader& files) {
  const auto text = files.Read(kPath);
  if (!text.ok()) return absl::UnimplementedError(text.status().message());
  std::string_view digits = *text;
  const auto number = kernel::TakeNumber(digits);
  if (!number || *number > 1000)
    return absl::InternalError(StrCat(kPath, ": '", *text, "' is no swappiness"));
  return static_cast<int32_t>(*number);
}

}  // namespace

absl::StatusOr<SwappinessResult> SetSwappiness(const FileReader& files, int32_t swappiness) {
  const auto before = Read(files);
  if (!before.ok()) return before.status();
  const UniqueFd fd(::open(files.PathOf(kPath).c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  const std::string text = StrCat(swappiness, "\n");
  if (!fd.IsOpen() || ::write(fd.Get(), text.data(), text.size()) < 0) {
    if (errno == EINVAL && swappiness > kOldMaximum) {
      return absl::UnimplementedError(StrCat("this kernel takes a swappiness of at most ", kOldMaximum));
    }
    return ErrnoStatus(errno, kPath);
  }
  const auto after = Read(files);
  if (!after.ok()) return after.status();
  if (*after != swappiness) {
    return absl::InternalError(StrCat(kPath, " is ", *after, " after ", swappiness, " was written"));
  }
  return SwappinessResult{*before, *after};
}

}  // namespace ballast::agent
