#include "guest-agent/oom/kmsg_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "common/base/text.h"

namespace ballast::agent {

absl::StatusOr<KmsgReader> KmsgReader::Open(const FileReader& files) {
  const std::string path = files.PathOf("/dev/kmsg");
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd.IsOpen()) return ErrnoStatus(errno, path.c_str());
  struct stat about {};
  if (::fstat(fd.Get(), &about) != 0) return ErrnoStatus(errno, path.c_str());
  if (!S_ISCHR(about.st_mode)) return absl::FailedPreconditionError(StrCat(path, " is no device"));
  if (::lseek(fd.Get(), 0, SEEK_END) < 0) return ErrnoStatus(errno, path.c_str());
  return KmsgReader(std::move(fd));
}

KmsgReader::KmsgReader(UniqueFd fd) : fd_(std::move(fd)), buffer_(std::make_unique<char[]>(kRecordBytes)) {}

std::optional<std::string_view> KmsgReader::Next() {
  while (fd_.IsOpen()) {
    const ssize_t got = ::read(fd_.Get(), buffer_.get(), kRecordBytes);
    if (got > 0) return std::string_view(buffer_.get(), static_cast<size_t>(got));
    // EPIPE: overwritten meanwhile; the next read goes on with the oldest that is left.
    if (got < 0 && (errno == EPIPE || errno == EINTR)) continue;
    if (got < 0 && errno == EAGAIN) return std::nullopt;
    fd_.Reset();
  }
  return std::nullopt;
}

}  // namespace ballast::agent
