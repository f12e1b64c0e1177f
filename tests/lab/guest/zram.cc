#include <cinttypes>
#include <cstdio>

#include "tests/lab/guest/lab_guest.h"
#include "tests/lab/guest/witness.h"

namespace ballast::lab::guest {
namespace {

constexpr int64_t kPageKib = 4;

struct Numbers {
  int64_t t_ms, original, compressed, used, limit, same_pages, swapped, available, balloon, kills;
};

}  // namespace

int Zram(const Options& options) {
  ProcFile mm_stat("/sys/block/zram0/mm_stat");
  ProcFile swaps("/proc/swaps");
  ProcFile meminfo("/proc/meminfo");
  ProcFile vmstat("/proc/vmstat");
  const auto look = [&]() -> Numbers {
    mm_stat.Read();
    swaps.Read();
    meminfo.Read();
    vmstat.Read();
    return {.t_ms = NowMs(),
            .original = mm_stat.After(""),
            .compressed = mm_stat.After("", 1),
            .used = mm_stat.After("", 2),
            .limit = mm_stat.After("", 3),
            .same_pages = mm_stat.After("", 5),
            .swapped = swaps.After("partition", 1),
            .available = meminfo.After("MemAvailable:"),
            .balloon = (vmstat.After("\nballoon_inflate ") - vmstat.After("\nballoon_deflate ")) * kPageKib,
            .kills = vmstat.After("\noom_kill ")};
  };
  for (const Numbers& n : WitnessAll<Numbers>(options, look)) {
    std::printf("%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64
                " %" PRId64 " %" PRId64 "\n",
                n.t_ms, n.original, n.compressed, n.used, n.limit, n.same_pages, n.swapped, n.available,
                n.balloon, n.kills);
  }
  return 0;
}

}  // namespace ballast::lab::guest
