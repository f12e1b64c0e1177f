#include "common/os/unique_fd.h"

#include <unistd.h>

namespace ballast {

void UniqueFd::Reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

absl::Status ErrnoStatus(int error, const char* what) { return absl::ErrnoToStatus(error, what); }

}  // namespace ballast
