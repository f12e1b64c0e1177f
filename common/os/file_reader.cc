#include "common/os/file_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "common/base/text.h"
#include "common/os/unique_fd.h"

namespace ballast {

std::string FileReader::PathOf(std::string_view path) const {
  std::string_view root = root_;
  while (root.ends_with('/')) root.remove_suffix(1);
  return StrCat(root, path.starts_with('/') ? "" : "/", path);
}

bool FileReader::Exists(std::string_view path) const { return ::access(PathOf(path).c_str(), F_OK) == 0; }

absl::StatusOr<std::string> FileReader::Read(std::string_view path, size_t limit) const {
  const std::string full = PathOf(path);
  UniqueFd fd(::open(full.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.IsOpen()) return ErrnoStatus(errno, full.c_str());
  std::string text;
  char buffer[4096];
  while (true) {
    const ssize_t n = ::read(fd.Get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(errno, full.c_str());
    if (n == 0) return text;
    text.append(buffer, static_cast<size_t>(n));
    if (text.size() > limit) {
      return absl::OutOfRangeError(StrCat(full, ": larger than ", limit, " bytes"));
    }
  }
}

}  // namespace ballast
