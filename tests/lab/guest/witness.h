// A witness of a shortage in the guest: opens its files once, needs no memory while it looks, and does not
// suffer.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "tests/lab/guest/lab_guest.h"

namespace ballast::lab::guest {

// A file of /proc or /sys that is opened once and read again and again.
class ProcFile {
 public:
  explicit ProcFile(const char* path);
  ~ProcFile();
  ProcFile(const ProcFile&) = delete;
  ProcFile& operator=(const ProcFile&) = delete;

  void Read();
  // Of the numbers after `key` in what was read the one with this index; 0 when there is none.
  int64_t After(const char* key, int index = 0) const;

 private:
  int fd_;
  std::array<char, 16 * 1024> text_{};
};

// Never killed, never paged out, first on the CPU.
void Harden();

// What `look` saw every --period-ms (20) for --length-ms.
template <typename Numbers, typename Look>
std::vector<Numbers> WitnessAll(const Options& options, Look look) {
  const int64_t period_ms = std::max<int64_t>(1, options.Number("period-ms", 20));
  const int64_t length_ms = std::max<int64_t>(0, options.Number("length-ms", 0));
  // Filled once, so that its pages are there before any are short.
  std::vector<Numbers> all(length_ms / period_ms + 1, Numbers{});
  Harden();
  const int64_t start = NowMs();
  size_t taken = 0;
  while (taken < all.size()) {
    all[taken++] = look();
    const int64_t next = ((NowMs() - start) / period_ms + 1) * period_ms;  // one that was missed is left out
    if (next > length_ms) break;
    SleepUntilMs(start + next);
  }
  all.resize(taken);
  return all;
}

}  // namespace ballast::lab::guest
