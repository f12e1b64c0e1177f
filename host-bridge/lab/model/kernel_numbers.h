// What Linux and its devices were seen to do, as numbers. Each with where it comes from.
#pragma once

#include <cstdint>

#include "common/base/time.h"
#include "common/base/units.h"

namespace ballast::sim {

// Kernel, init and services: 1.4-1.9 s measured on emulated guests, until driver and agent are there.
inline constexpr Nanos kBootTime = Seconds(2);
// First touch of memory, host's fault included (HyperAlloc's raw data: 4 GiB/s whatever the mechanism).
inline constexpr int64_t kTouchSpeed = 4 * kGiB;
// What the daemons hold that an OOM kill does not hit.
inline constexpr int64_t kDaemons = 32 * kMiB;

// A guest without swap is killed 12-19 ms after its first direct reclaim, with 6-9 ms of PSI (measured): half
// of the time.
inline constexpr Nanos kReclaimBeforeKill = Milliseconds(15);
// Deflate-on-OOM gives 1 MiB for each time the OOM handler runs. A burst of 600 MiB at 200 MiB/s into a guest
// that lacked some 450 of them took 3.8 s instead of 3.0 (measured): 1.8 ms for each.
inline constexpr int64_t kOomDeflation = kMiB;
inline constexpr Nanos kOomDeflationTime = Microseconds(1'800);

// Direct reclaim into zram, compression and scanning included: measured guests of 256 MiB with 300 MiB of
// zram stalled 1.0-1.2 s and swapped some 130 MiB before the kill.
inline constexpr int64_t kSwapOutSpeed = 128 * kMiB;
// Of what programs hold: a guest of 256 MiB swapped until all 300 MiB of its zram were full and 69 were left
// to the program (recording swap-killed). Pages touched last stay.
inline constexpr int64_t kSwappablePermyriad = 9'000;
inline constexpr int64_t kSwapInSpeed = 64 * kMiB;  // one task faulting page by page
inline constexpr int64_t kSwapInNanos = 20'000;     // decompression and fault of one 4 KiB page
inline constexpr int64_t kTouchPeriodSeconds = 60;  // programs go through what they hold about once a minute

// A page cache miss: 4 KiB from a virtual disk on an SSD.
inline constexpr int64_t kRefaultNanos = 100'000;
inline constexpr int64_t kPage = 4 * kKiB;
// So many tasks read or fault at a time; "some" is the share of time when at least one of them waits.
inline constexpr int64_t kTasks = 4;
inline constexpr int64_t kRefaultSpeed = kTasks * kPage * 1'000'000'000 / kRefaultNanos;

// A page that the driver must first reclaim from the page cache takes so much longer than a free one, and for
// that time the driver is a stalled task: a fifth to two fifths of all (recording cold-cache).
inline constexpr int64_t kReclaimPermyriad = 3'300;
// With nothing but programs' memory left the driver gets a page here and there and retries every 200 ms.
inline constexpr int64_t kPuffSpeed = 4 * kMiB;

// Free page reporting: a pass each 2 s takes at most a sixteenth of the free lists (mm/page_reporting.c).
inline constexpr Nanos kReportPass = Seconds(2);
inline constexpr int64_t kReportPart = 16;

inline constexpr Nanos kStallWindow = Milliseconds(100);
inline constexpr Nanos kLongestSubStep = Seconds(10);
inline constexpr Nanos kLeastToSettle = Milliseconds(5);
// The stalls of reading back change with what is missing.
inline constexpr Nanos kReadBackStep = Milliseconds(250);
// Programs and balloon moving at once race for the same pages.
inline constexpr Nanos kRaceStep = Milliseconds(10);
// Where memory is exhausted, kill and rescue are told apart within this.
inline constexpr Nanos kExhaustionStep = Milliseconds(2);

}  // namespace ballast::sim
