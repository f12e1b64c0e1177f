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

// Pages of the first `bytes` of the device, one by one without readahead, at `bytes_per_second`, for
// `length_ms`. Bursts of 20 ms: a sleep for each page would be most of the work.
int ReadRandomly(int fd, int64_t bytes, const Options& options) {
  constexpr int64_t kPage = 4096;
  constexpr int64_t kBurstMs = 20;
  posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
  const int64_t bytes_per_second = options.Number("random-mib-s", 0) << 20;
  const int64_t length_ms = options.Number("length-ms", 1000);
  uint64_t state = static_cast<uint64_t>(options.Number("seed", 1)) * 0x9e3779b97f4a7c15 + 1;
  std::vector<char> page(kPage);
  const int64_t start = NowMs();
  int64_t done = 0;
  while (NowMs() < start + length_ms) {
    const int64_t due = (NowMs() - start + kBurstMs) * bytes_per_second / 1000;
    for (; done < due && NowMs() < start + length_ms; done += kPage) {
      state = state * 6364136223846793005 + 1442695040888963407;
      const int64_t at = static_cast<int64_t>((state >> 33) % static_cast<uint64_t>(bytes / kPage)) * kPage;
      if (pread(fd, page.data(), kPage, at) != kPage) return 1;
    }
    SleepUntilMs(NowMs() + kBurstMs);
  }
  std::printf("cache: read %" PRId64 " MiB randomly in %" PRId64 " ms\n", done >> 20, NowMs() - start);
  return 0;
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
  // At this pace, or as fast as the device gives.
  const int64_t bytes_per_second = options.Number("rate-mib-s", 0) << 20;
  for (int64_t cycle = options.Number("cycles", 1); cycle > 0; --cycle) {
    const int64_t start = NowMs();
    int64_t done = 0;
    while (done < bytes) {
      if (bytes_per_second > 0) SleepUntilMs(start + done * 1000 / bytes_per_second);
      const ssize_t got = pread(fd, buffer.data(), buffer.size(), done);
      if (got <= 0) break;
      done += got;
    }
    std::printf("cache: read %" PRId64 " MiB in %" PRId64 " ms\n", done >> 20, NowMs() - start);
    if (done < bytes) return 1;
  }
  if (options.Number("random-mib-s", 0) > 0) return ReadRandomly(fd, bytes, options);
  SleepUntilMs(NowMs() + options.Number("hold-ms", 0));
  return 0;
}

int Stat(const Options&) {
  std::printf("available_kib %" PRId64 "\noom_kill %" PRId64 "\n",
              NumberAfter("/proc/meminfo", "MemAvailable:"), NumberAfter("/proc/vmstat", "oom_kill "));
  return 0;
}

}  // namespace ballast::lab::guest
