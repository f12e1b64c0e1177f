#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "tests/lab/guest/lab_guest.h"

namespace ballast::lab::guest {
namespace {

constexpr int64_t kPageKib = 4;

// A file of /proc that is opened once and read again and again.
class ProcFile {
 public:
  explicit ProcFile(const char* path) : fd_(open(path, O_RDONLY | O_CLOEXEC)) {}
  ~ProcFile() {
    if (fd_ >= 0) close(fd_);
  }
  ProcFile(const ProcFile&) = delete;
  ProcFile& operator=(const ProcFile&) = delete;

  void Read() {
    const ssize_t got = fd_ < 0 ? -1 : pread(fd_, text_.data(), text_.size() - 1, 0);
    text_[got > 0 ? got : 0] = '\0';
  }
  // The number after `key` in what was read; 0 when there is none.
  int64_t After(const char* key) const {
    const char* at = std::strstr(text_.data(), key);
    return at == nullptr ? 0 : std::strtoll(at + std::strlen(key), nullptr, 10);
  }

 private:
  int fd_;
  std::array<char, 16 * 1024> text_{};
};

struct Numbers {
  int64_t t_ms, balloon, total, free, available, file, anon, swapped, refaulted, some_us, kills;
};

Numbers Take(ProcFile& meminfo, ProcFile& vmstat, ProcFile& pressure) {
  meminfo.Read();
  vmstat.Read();
  pressure.Read();
  return {.t_ms = NowMs(),
          .balloon = (vmstat.After("\nballoon_inflate ") - vmstat.After("\nballoon_deflate ")) * kPageKib,
          .total = meminfo.After("MemTotal:"),
          .free = meminfo.After("MemFree:"),
          .available = meminfo.After("MemAvailable:"),
          .file = meminfo.After("Active(file):") + meminfo.After("Inactive(file):"),
          .anon = meminfo.After("AnonPages:"),
          .swapped = meminfo.After("SwapTotal:") - meminfo.After("SwapFree:"),
          .refaulted = vmstat.After("\nworkingset_refault_file "),
          .some_us = pressure.After("total="),  // the first line is "some"
          .kills = vmstat.After("\noom_kill ")};
}

// The witness of a shortage must not suffer from it: never killed, never paged out, first on the CPU.
void Harden() {
  const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd >= 0 && write(fd, "-1000", 5) < 0) std::perror("sample: oom_score_adj");
  if (fd >= 0) close(fd);
  if (mlockall(MCL_CURRENT) != 0) std::perror("sample: mlockall");
  const sched_param priority{.sched_priority = 1};
  if (sched_setscheduler(0, SCHED_FIFO, &priority) != 0) std::perror("sample: scheduler");
}

}  // namespace

int Sample(const Options& options) {
  const int64_t period_ms = std::max<int64_t>(1, options.Number("period-ms", 20));
  const int64_t length_ms = std::max<int64_t>(0, options.Number("length-ms", 0));
  ProcFile meminfo("/proc/meminfo");
  ProcFile vmstat("/proc/vmstat");
  ProcFile pressure("/proc/pressure/memory");
  // Filled once, so that its pages are there before any are short.
  std::vector<Numbers> samples(length_ms / period_ms + 1, Numbers{});
  Harden();
  const int64_t start = NowMs();
  size_t taken = 0;
  while (taken < samples.size()) {
    samples[taken++] = Take(meminfo, vmstat, pressure);
    const int64_t next = ((NowMs() - start) / period_ms + 1) * period_ms;  // one that was missed is left out
    if (next > length_ms) break;
    SleepUntilMs(start + next);
  }
  for (size_t i = 0; i < taken; ++i) {
    const Numbers& n = samples[i];
    std::printf("%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64
                " %" PRId64 " %" PRId64 " %" PRId64 "\n",
                n.t_ms, n.balloon, n.total, n.free, n.available, n.file, n.anon, n.swapped, n.refaulted,
                n.some_us, n.kills);
  }
  return 0;
}

}  // namespace ballast::lab::guest
