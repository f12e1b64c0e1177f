#include "common/os/pinned_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/base/text.h"

namespace ballast {
namespace {

// Three times the largest that is read under pressure today. What is beyond stays untouched, and so costs
// nothing, until a file grows into it.
constexpr size_t kBroughtInBytes = 16 * 1024;

}  // namespace

PinnedFile::PinnedFile(UniqueFd fd, std::string path, size_t capacity)
    : fd_(std::move(fd)),
      path_(std::move(path)),
      buffer_(std::make_unique_for_overwrite<char[]>(capacity)),
      capacity_(capacity) {
  std::memset(buffer_.get(), 0, std::min(capacity, kBroughtInBytes));
}

absl::StatusOr<PinnedFile> PinnedFile::Open(const FileReader& files, std::string_view path, size_t capacity) {
  std::string full = files.PathOf(path);
  UniqueFd fd(::open(full.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.IsOpen()) return ErrnoStatus(errno, full.c_str());
  return PinnedFile(std::move(fd), std::move(full), capacity);
}

absl::StatusOr<std::string_view> PinnedFile::Read() {
  size_t filled = 0;
  while (filled < capacity_) {
    const ssize_t n =
        ::pread(fd_.Get(), buffer_.get() + filled, capacity_ - filled, static_cast<off_t>(filled));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(errno, path_.c_str());
    if (n == 0) return std::string_view(buffer_.get(), filled);
    filled += static_cast<size_t>(n);
  }
  return absl::OutOfRangeError(StrCat(path_, ": does not fit ", capacity_, " bytes"));
}

}  // namespace ballast
