#include <fcntl.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "tests/lab/guest/lab_guest.h"

namespace ballast::lab::guest {
namespace {

// The number after `key` in a file of "key number" lines, -1 when there is none.
int64_t NumberAfter(const char* path, const char* key) {
  std::FILE* file = std::fopen(path, "re");
  if (file == nullptr) return -1;
  char line[256];
  int64_t value = -1;
  while (value < 0 && std::fgets(line, sizeof(line), file) != nullptr) {
    if (std::strncmp(line, key, std::strlen(key)) == 0)
      value = std::strtoll(line + std::strlen(key), nullptr, 10);
  }
  std::fclose(file);
  return value;
}

}  // namespace

int Cache(const Options& options) {
  const std::string device = options.Text("device", "/dev/vda");
  const int64_t bytes = options.Number("mib", 64) << 20;
  const int fd = open(device.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    std::printf("cache: %s: %s (the guest needs a disk)\n", device.c_str(), std::strerror(errno));
    return 1;
  }
  std::vector<char> buffer(256 * 1024);
  for (int64_t cycle = options.Number("cycles", 1); cycle > 0; --cycle) {
    const int64_t start = NowMs();
    int64_t done = 0;
    while (done < bytes) {
      const ssize_t got = pread(fd, buffer.data(), buffer.size(), done);
      if (got <= 0) break;
      done += got;
    }
    std::printf("cache: read %" PRId64 " MiB in %" PRId64 " ms\n", done >> 20, NowMs() - start);
    if (done < bytes) return 1;
  }
  SleepUntilMs(NowMs() + options.Number("hold-ms", 0));
  return 0;
}

int Stat(const Options&) {
  std::printf("available_kib %" PRId64 "\noom_kill %" PRId64 "\n",
              NumberAfter("/proc/meminfo", "MemAvailable:"), NumberAfter("/proc/vmstat", "oom_kill "));
  return 0;
}

}  // namespace ballast::lab::guest
