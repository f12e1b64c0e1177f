#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/lab/guest/lab_guest.h"

namespace ballast::lab::guest {
namespace {

size_t ReadInto(const char* path, char* buffer, size_t size) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const ssize_t n = read(fd, buffer, size - 1);
  close(fd);
  buffer[n < 0 ? 0 : n] = '\0';
  return n < 0 ? 0 : static_cast<size_t>(n);
}

}  // namespace

int Poll(const Options& options) {
  const int64_t period_ms = options.Number("ms", 1000);
  static char buffer[32 * 1024];
  int64_t next = NowMs();
  for (;;) {
    if (ReadInto("/proc/meminfo", buffer, sizeof buffer) == 0) return 1;
    const char* line = std::strstr(buffer, "MemAvailable:");
    const long long available = line == nullptr ? -1 : std::atoll(line + std::strlen("MemAvailable:"));
    ReadInto("/proc/pressure/memory", buffer, sizeof buffer);
    ReadInto("/proc/vmstat", buffer, sizeof buffer);
    std::printf("%lld\n", available);
    next += period_ms;
    SleepUntilMs(next);
  }
}

}  // namespace ballast::lab::guest
