// The questions of each story, and the bounds of their answers. What is left out of the model is named beside
// each bound and decides it:
// - kernels' own memory (text, page metadata, slab) differs by some MiB from one configuration to the next;
// - freed pages wait in per-CPU lists for the next use, at most the low watermark of them (55 MiB in these
// guests of
//   1 GiB), and neither MemFree nor the OOM handler sees them;
// - the DMA zone of 15 MiB is kept for devices and never given to programs;
// - the speed of an emulated machine on a busy host means nothing: it is shown, and what goes with it not
// judged.
#include <map>

#include "common/base/text.h"
#include "tests/host-bridge/lab/calibration/comparison.h"

namespace ballast::calibration {
namespace {

constexpr std::optional<double> kAny = std::nullopt;
// Kernel text, page metadata and slab differ by some MiB between kernels and configurations.
constexpr double kKernelMib = 16;
constexpr char kKernel[] = "kernels' own memory differs";
constexpr char kSpeed[] = "speed of the emulated machine";
constexpr char kExact[] = "must be the same";
constexpr char kPerCpu[] = "pages in per-CPU lists count nowhere";

using List = std::vector<Measure>;

Measure Total() {
  return {"MemTotal at rest", "MiB", [](const Series& s) { return Mib(s.Before(0).total_kib); }, kKernelMib,
          kKernel};
}

// MemAvailable before a step; `step` beyond the last one: at the end.
Measure Available(const char* when, size_t step, double allowed = kKernelMib, const char* reason = kKernel) {
  return {StrCat("MemAvailable ", when), "MiB",
          [step](const Series& s) { return Mib(s.Before(step).available_kib); }, allowed, reason};
}

Measure Kills() {
  return {"OOM kills", "", [](const Series& s) { return static_cast<double>(s.Before(99).oom_kills); }, 0.0,
          kExact};
}

Measure BalloonAtEnd(double allowed, const char* reason) {
  return {"balloon at the end", "MiB", [](const Series& s) { return Mib(s.Before(99).balloon_kib); }, allowed,
          reason};
}

Measure Swapped(double allowed, const char* reason) {
  return {"swapped at the end", "MiB", [](const Series& s) { return Mib(s.Before(99).swapped_kib); }, allowed,
          reason};
}

Measure StalledSince(const char* what, size_t step, std::optional<double> allowed, const char* reason) {
  return {what, "s",
          [step](const Series& s) { return Series::StalledSeconds(s.Before(step), s.Before(step + 1)); },
          allowed, reason};
}

List Idle() {
  return {Total(),
          Available("at rest", 0),
          Available("beside 512 MiB", 1),
          {"taking 512 MiB", "s", [](const Series& s) { return s.SecondsToTarget(0); }, 1.5,
           "given the first half's speed"},
          Available("given everything back", 2, 56, kPerCpu),
          {"giving 512 MiB", "s", [](const Series& s) { return s.SecondsToTarget(1); }, 0.4,
           "given the first half's speed"},
          Available("beside 512 MiB again", 3),
          StalledSince("stalled while taking", 0, 0.02, "nothing was short")};
}

List Killed() {
  return {Total(),
          Available("before the program", 1),
          {"program's, when nothing is available", "MiB",
           [](const Series& s) { return Mib(s.Exhausted(1).anon_kib); }, kKernelMib, kKernel},
          {"program's memory at the kill", "MiB",
           [](const Series& s) { return Mib(s.BeforeKill().anon_kib); }, kKernelMib, kKernel},
          {"MemFree at the kill", "MiB", [](const Series& s) { return Mib(s.BeforeKill().free_kib); }, 8,
           "the DMA zone (15 MiB) keeps some"},
          {"MemAvailable at the kill", "MiB",
           [](const Series& s) { return Mib(s.BeforeKill().available_kib); }, 1, "nothing is left"},
          {"from the program's start to the kill", "s",
           [](const Series& s) { return s.SecondsFrom(1, s.BeforeKill()); }, 0.6, "a shell starts first"},
          {"stalled before the kill", "s",
           [](const Series& s) { return Series::StalledSeconds(s.Before(1), s.BeforeKill()); }, 0.03,
           "two runs of kswapd count too"},
          Kills()};
}

List Rescued() {
  return {
      Total(),
      Available("before the program", 1),
      {"balloon given by OOM events", "MiB",
       [](const Series& s) { return Mib(s.Before(1).balloon_kib - s.Before(99).balloon_kib); }, 56, kPerCpu},
      {"program's memory at the end", "MiB", [](const Series& s) { return Mib(s.Before(99).anon_kib); }, 2,
       "it got all it wanted"},
      Available("at the end", 99, 1, "nothing is left"),
      StalledSince("stalled until it had all", 1, kAny, kSpeed),
      Kills()};
}

List ColdCache() {
  return {
      Total(),
      Available("with the cache full", 2),
      {"page cache before", "MiB", [](const Series& s) { return Mib(s.Before(2).file_kib); }, kKernelMib,
       kKernel},
      {"page cache dropped", "MiB",
       [](const Series& s) { return Mib(s.Before(2).file_kib - s.Before(99).file_kib); }, kKernelMib,
       kKernel},
      Available("at the end", 99),
      BalloonAtEnd(1, "the target is reached"),
      {"refaulted", "MiB", [](const Series& s) { return Series::RefaultedMib(s.Before(2), s.Before(99)); }, 1,
       "nobody reads it again"},
      {"taking 384 MiB", "s", [](const Series& s) { return s.SecondsToTarget(2); }, kAny, kSpeed},
      {"stalled, share of the taking", "%",
       [](const Series& s) {
         return 100 * Series::StalledSeconds(s.Before(2), s.Before(99)) / s.SecondsToTarget(2);
       },
       20, "the driver's own reclaim counts"},
      Kills()};
}

List HotCache() {
  return {Total(),
          {"page cache before", "MiB", [](const Series& s) { return Mib(s.Before(2).file_kib); }, 8, kKernel},
          {"page cache squeezed", "MiB", [](const Series& s) { return Mib(s.Before(3).file_kib); },
           kKernelMib, kKernel},
          Available("squeezed", 3, 8, kKernel),
          {"refaulted a second, squeezed", "MiB/s",
           [](const Series& s) { return Series::RefaultedMib(s.Earlier(s.Before(3), 8), s.Before(3)) / 8; },
           1.5, "goes with the cache that is missing"},
          {"stalled a second, squeezed", "%",
           [](const Series& s) {
             return 100 * Series::StalledSeconds(s.Earlier(s.Before(3), 8), s.Before(3)) / 8;
           },
           kAny, "the emulated disk's speed"},
          {"refaulted a second, after the end", "MiB/s",
           [](const Series& s) { return Series::RefaultedMib(s.Earlier(s.Before(99), 6), s.Before(99)) / 6; },
           1, "all is read back soon"},
          Kills()};
}

List Swapping() {
  return {Total(),
          Available("before", 1),
          BalloonAtEnd(1, "the target is reached"),
          Swapped(40, "zram's ratio; kswapd swaps ahead"),
          Available("at the end", 99, kKernelMib, kKernel),
          {"taking 230 MiB", "s", [](const Series& s) { return s.SecondsToTarget(1); }, kAny, kSpeed},
          {"stalled, share of the taking", "%",
           [](const Series& s) {
             return 100 * Series::StalledSeconds(s.Before(1), s.Before(99)) / s.SecondsToTarget(1);
           },
           25, "the driver swaps out by itself"},
          Kills()};
}

List SwapKilled() {
  return {Total(),
          {"swapped at the kill", "MiB", [](const Series& s) { return Mib(s.BeforeKill().swapped_kib); }, 40,
           "zram's ratio"},
          {"program's memory and swap then", "MiB",
           [](const Series& s) { return Mib(s.BeforeKill().anon_kib + s.BeforeKill().swapped_kib); }, 50,
           "zram's ratio"},
          {"stalled before the kill", "s",
           [](const Series& s) { return Series::StalledSeconds(s.Before(0), s.BeforeKill()); }, kAny, kSpeed},
          Kills()};
}

List Greedy() {
  return {Total(),
          Available("before", 1),
          BalloonAtEnd(kKernelMib, kKernel),
          {"MemFree at the end", "MiB", [](const Series& s) { return Mib(s.Before(99).free_kib); }, 4,
           "the DMA zone (15 MiB) keeps some"},
          Available("at the end", 99, 6, "what the DMA zone keeps"),
          StalledSince("stalled", 1, 0.1, "the driver gives up and sleeps"),
          Kills()};
}

}  // namespace

std::vector<Measure> MeasuresOf(const std::string& story) {
  const std::map<std::string, List (*)()> stories = {
      {"idle", Idle},          {"killed", Killed},     {"rescued", Rescued},        {"cold-cache", ColdCache},
      {"hot-cache", HotCache}, {"swapping", Swapping}, {"swap-killed", SwapKilled}, {"greedy", Greedy}};
  const auto found = stories.find(story);
  return found == stories.end() ? List{} : found->second();
}

}  // namespace ballast::calibration
