// lab-guest pin --mib N [--kernel] --hold-ms MS: memory that cannot be moved. A program's own pages that
// pipes refer to (vmsplice), or, with --kernel, pages of the kernel's that hold what was written into pipes.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "tests/lab/guest/lab_guest.h"

namespace ballast::lab::guest {
namespace {

constexpr int64_t kPipeBytes = 1 << 20;

// One pipe full; it stays open. False: the kernel refused, and errno says why.
bool Fill(char* pages, bool kernel) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_NONBLOCK) != 0) return false;
  if (fcntl(ends[1], F_SETPIPE_SZ, kPipeBytes) < 0) return false;
  std::memset(pages, 1, kPipeBytes);
  for (int64_t done = 0; done < kPipeBytes;) {
    const iovec part{pages + done, static_cast<size_t>(kPipeBytes - done)};
    const ssize_t n = kernel ? write(ends[1], part.iov_base, part.iov_len) : vmsplice(ends[1], &part, 1, 0);
    if (n <= 0) return false;
    done += n;
  }
  return true;
}

}  // namespace

int Pin(const Options& options) {
  const int64_t mib = options.Number("mib", 1);
  const bool kernel = options.Number("kernel", 0) != 0;
  for (int64_t i = 0; i < mib; ++i) {
    void* pages = mmap(nullptr, kPipeBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || !Fill(static_cast<char*>(pages), kernel)) {
      std::printf("pin: refused at %" PRId64 " MiB: %s\n", i, std::strerror(errno));
      return 1;
    }
    if (kernel) munmap(pages, kPipeBytes);
  }
  std::printf("pin: held %" PRId64 " MiB\n", mib);
  SleepUntilMs(NowMs() + options.Number("hold-ms", 0));
  return 0;
}

}  // namespace ballast::lab::guest
