#include "tests/lab/guest/witness.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace ballast::lab::guest {

ProcFile::ProcFile(const char* path) : fd_(open(path, O_RDONLY | O_CLOEXEC)) {}

ProcFile::~ProcFile() {
  if (fd_ >= 0) close(fd_);
}

void ProcFile::Read() {
  const ssize_t got = fd_ < 0 ? -1 : pread(fd_, text_.data(), text_.size() - 1, 0);
  text_[got > 0 ? got : 0] = '\0';
}

int64_t ProcFile::After(const char* key, int index) const {
  const char* at = std::strstr(text_.data(), key);
  if (at == nullptr) return 0;
  at += std::strlen(key);
  int64_t number = 0;
  for (; index >= 0; --index) {
    char* end = nullptr;
    number = std::strtoll(at, &end, 10);
    if (end == at) return 0;
    at = end;
  }
  return number;
}

void Harden() {
  const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd >= 0 && write(fd, "-1000", 5) < 0) std::perror("witness: oom_score_adj");
  if (fd >= 0) close(fd);
  if (mlockall(MCL_CURRENT) != 0) std::perror("witness: mlockall");
  const sched_param priority{.sched_priority = 1};
  if (sched_setscheduler(0, SCHED_FIFO, &priority) != 0) std::perror("witness: scheduler");
}

}  // namespace ballast::lab::guest
