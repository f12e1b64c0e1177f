#include "tests/lab/calibration/stories.h"

#include "common/base/text.h"
#include "common/base/units.h"

namespace ballast::lab {
namespace {

using sim::Segment;

// Samples closer than this cost an emulated guest a tenth of its processor.
constexpr int64_t kClose = 10;
constexpr int64_t kFar = 50;

StoryStep Balloon(int64_t at_ms, int64_t mib) {
  StoryStep step;
  step.step = {.at_ms = at_ms, .is_balloon = true, .balloon_bytes = mib * kMiB, .programs = {}};
  return step;
}

StoryStep Programs(int64_t at_ms, const Segment& segment, const std::string& command) {
  StoryStep step;
  step.step = {.at_ms = at_ms, .is_balloon = false, .balloon_bytes = 0, .programs = segment};
  step.command = command;
  return step;
}

// A program that fills `mib` at `rate` MiB/s and keeps them. A third of each page is random, as much as zram
// makes of programs' memory.
StoryStep Hog(int64_t at_ms, int64_t mib, int64_t rate, int random_percent = 0) {
  return Programs(at_ms, {.anon_bytes = mib * kMiB, .anon_bytes_per_second = rate * kMiB},
                  StrCat("lab-guest hog --hold-ms 100000 --mib ", mib, " --rate-mib-s ", rate,
                         " --random-percent ", random_percent));
}

GuestOptions Machine(int64_t memory_mib, bool deflate_on_oom) {
  GuestOptions options;
  options.memory_mib = memory_mib;
  options.deflate_on_oom = deflate_on_oom;
  options.free_page_reporting = false;  // guests do not see it, emulation is slowed by it
  options.agent = false;
  return options;
}

Story Idle() {
  return {"idle",
          "nothing runs while half of the guest is taken and given back, twice",
          Machine(1024, true),
          26'000,
          20,
          {Balloon(1'000, 512), Balloon(8'000, 0), Balloon(12'000, 512), Balloon(20'000, 0)}};
}

// The balloon is at rest before the program starts, also on a busy machine.
Story Killed() {
  return {"killed",
          "a program fills 600 MiB beside a balloon of 640 that gives nothing by itself: it is killed",
          Machine(1024, false),
          18'000,
          kClose,
          {Balloon(500, 640), Hog(10'000, 600, 100)}};
}

Story Rescued() {
  return {"rescued",
          "the same with deflate-on-oom: the balloon gives what is missing",
          Machine(1024, true),
          26'000,
          kFar,
          {Balloon(500, 640), Hog(10'000, 480, 100)}};
}

// Held open: with its last user a block device loses its cache.
Story ColdCache() {
  GuestOptions guest = Machine(512, true);
  guest.disk_mib = 1024;
  return {"cold-cache",
          "free memory is full of file pages read once; then the balloon takes all but 128 MiB",
          guest,
          30'000,
          kFar,
          {Programs(500, {.cold_reads_bytes_per_second = 100 * kMiB},
                    "lab-guest cache --mib 600 --rate-mib-s 100 --hold-ms 100000"),
           Programs(10'000, {}, "true"), Balloon(11'000, 384)}};
}

// Four tasks read pages in random order, after one of them has read them all.
Story HotCache() {
  GuestOptions guest = Machine(512, true);
  guest.disk_mib = 1024;
  return {"hot-cache",
          "four tasks go through 120 MiB of file pages at 8 MiB/s; the balloon leaves them half, then all",
          guest,
          58'000,
          100,
          {Programs(500, {.hot_cache_bytes = 120 * kMiB, .hot_reads_bytes_per_second = 60 * kMiB},
                    "lab-guest cache --mib 120 --rate-mib-s 60 --hold-ms 100000"),
           Programs(4'000, {.hot_cache_bytes = 120 * kMiB, .hot_reads_bytes_per_second = 8 * kMiB},
                    "for seed in 1 2 3 4; do lab-guest cache --cycles 0 --mib 120 --random-mib-s 2 --seed "
                    "$seed --length-ms 100000 & done; wait"),
           Balloon(20'000, 370), Balloon(42'000, 0)}};
}

Story Swapping() {
  GuestOptions guest = Machine(512, true);
  guest.zram_mib = 256;
  return {"swapping", "a program holds 300 MiB, there is zram; the balloon takes 100 MiB of what is in use",
          guest,      26'000,
          kFar,       {Hog(500, 300, 100, 33), Balloon(6'000, 230)}};
}

Story SwapKilled() {
  GuestOptions guest = Machine(256, false);
  guest.zram_mib = 300;
  return {"swap-killed", "a program wants more than memory and zram hold together",
          guest,         30'000,
          kFar,          {Hog(500, 900, 100, 33)}};
}

Story Greedy() {
  return {"greedy",
          "a program holds 200 MiB, there is no swap, and the host asks for more than the rest",
          Machine(512, true),
          14'000,
          kFar,
          {Hog(500, 200, 100), Balloon(4'000, 320)}};
}

}  // namespace

std::vector<Story> AllStories() {
  return {Idle(), Killed(), Rescued(), ColdCache(), HotCache(), Swapping(), SwapKilled(), Greedy()};
}

}  // namespace ballast::lab
