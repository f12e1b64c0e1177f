#include <cinttypes>
#include <cstdio>

#include "tests/lab/guest/lab_guest.h"
#include "tests/lab/guest/witness.h"

namespace ballast::lab::guest {
namespace {

constexpr int64_t kPageKib = 4;

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

}  // namespace

int Sample(const Options& options) {
  ProcFile meminfo("/proc/meminfo");
  ProcFile vmstat("/proc/vmstat");
  ProcFile pressure("/proc/pressure/memory");
  for (const Numbers& n : WitnessAll<Numbers>(options, [&] { return Take(meminfo, vmstat, pressure); })) {
    std::printf("%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64
                " %" PRId64 " %" PRId64 " %" PRId64 "\n",
                n.t_ms, n.balloon, n.total, n.free, n.available, n.file, n.anon, n.swapped, n.refaulted,
                n.some_us, n.kills);
  }
  return 0;
}

}  // namespace ballast::lab::guest
