// What a simulated guest does, one story each, next to what real ones were seen to do.
#include <gtest/gtest.h>

#include "host-bridge/lab/model/guest_model.h"

namespace ballast::sim {
namespace {

constexpr Nanos kTick = Milliseconds(10);

GuestSpec Machine(int64_t boot_bytes, bool deflate_on_oom, int64_t zram_bytes = 0) {
  GuestSpec spec{.boot_bytes = boot_bytes, .zram_bytes = zram_bytes, .device = {}};
  spec.device.deflate_on_oom = deflate_on_oom;
  return spec;
}

// Booted, with an empty balloon, programs hold `anon`.
GuestModel Running(const GuestSpec& spec, int64_t anon) {
  GuestModel guest(spec);
  guest.Boot();
  guest.StartSegment({.anon_bytes = anon});
  guest.Advance(Seconds(10));
  return guest;
}

void InflateTo(GuestModel& guest, int64_t bytes) {
  guest.SetTarget(bytes);
  for (int i = 0; i < 300; ++i) guest.Advance(Milliseconds(100));
}

// Until the programs hold what they want, or have been killed; the time it took.
Nanos TimeToHold(GuestModel& guest, int64_t anon) {
  Nanos spent;
  while (guest.memory().anon() + guest.memory().swapped() < anon && guest.counters().oom_kills == 0) {
    guest.Advance(kTick);
    spent = spent + kTick;
    if (spent > Seconds(60)) break;
  }
  return spent;
}

TEST(GuestStory, BurstIntoAnEmptyBalloonTakesItsOwnTime) {
  GuestModel guest = Running(Machine(kGiB, true), 40 * kMiB);
  guest.StartSegment({.anon_bytes = 640 * kMiB, .anon_bytes_per_second = 200 * kMiB});
  EXPECT_NEAR(TimeToHold(guest, 640 * kMiB).count * 1e-9, 3.0, 0.05);
  EXPECT_EQ(guest.counters().oom_kills, 0);
  EXPECT_EQ(guest.counters().stalled_ns, 0);
}

// The measured burst: 1 GiB with the balloon at 768 MiB, 600 MiB at 200 MiB/s: 3.8 s instead of 3.0.
TEST(GuestStory, DeflateOnOomSurvivesTheBurstButStalls) {
  GuestModel guest = Running(Machine(kGiB, true), 40 * kMiB);
  InflateTo(guest, 768 * kMiB);
  ASSERT_EQ(guest.memory().balloon(), 768 * kMiB);
  guest.StartSegment({.anon_bytes = 640 * kMiB, .anon_bytes_per_second = 200 * kMiB});
  EXPECT_NEAR(TimeToHold(guest, 640 * kMiB).count * 1e-9, 3.8, 0.15);
  EXPECT_EQ(guest.counters().oom_kills, 0);
  EXPECT_GT(guest.counters().oom_deflated_bytes, 350 * kMiB);
  EXPECT_EQ(guest.counters().oom_deflated_bytes % kMiB, 0);
  EXPECT_GT(guest.counters().stalled_ns, Milliseconds(500).count);
  // The device still wants 768 MiB; the driver waits for a new word.
  const int64_t balloon = guest.memory().balloon();
  EXPECT_EQ(guest.target(), 768 * kMiB);
  guest.StartSegment({.anon_bytes = 40 * kMiB});
  for (int i = 0; i < 100; ++i) guest.Advance(Milliseconds(100));
  EXPECT_EQ(guest.memory().balloon(), balloon);
  guest.SetTarget(767 * kMiB);
  for (int i = 0; i < 100; ++i) guest.Advance(Milliseconds(100));
  EXPECT_EQ(guest.memory().balloon(), 767 * kMiB);
}

TEST(GuestStory, WithoutDeflateOnOomTheBurstIsKilledBeforeAnyoneNotices) {
  GuestModel guest = Running(Machine(kGiB, false), 40 * kMiB);
  InflateTo(guest, 768 * kMiB);
  guest.StartSegment({.length = Seconds(10), .anon_bytes = 640 * kMiB, .anon_bytes_per_second = 200 * kMiB});
  while (guest.counters().stalled_ns == 0) guest.Advance(Milliseconds(1));
  Nanos to_kill;
  while (guest.counters().oom_kills == 0) {
    guest.Advance(Milliseconds(1));
    to_kill = to_kill + Milliseconds(1);
  }
  EXPECT_GE(to_kill, Milliseconds(11));
  EXPECT_LE(to_kill, Milliseconds(19));
  EXPECT_GE(guest.counters().stalled_ns, Milliseconds(6).count);
  EXPECT_LE(guest.counters().stalled_ns, Milliseconds(9).count);
  // Its programs are gone until they are started again.
  guest.Advance(Seconds(1));
  EXPECT_LE(guest.memory().anon(), 32 * kMiB);
  EXPECT_EQ(guest.counters().oom_kills, 1);
  guest.SetTarget(0);
  guest.StartSegment({.anon_bytes = 640 * kMiB});
  for (int i = 0; i < 100; ++i) guest.Advance(Milliseconds(100));
  EXPECT_EQ(guest.memory().anon(), 640 * kMiB);
}

// The recording swap-killed: nobody is killed before zram is full.
TEST(GuestStory, ZramBuysSeconds) {
  GuestModel guest = Running(Machine(256 * kMiB, false, 300 * kMiB), 40 * kMiB);
  guest.StartSegment({.anon_bytes = 900 * kMiB, .anon_bytes_per_second = 400 * kMiB});
  while (guest.memory().swapped() == 0) guest.Advance(Milliseconds(1));
  int64_t most_swapped = 0;
  Nanos to_kill;
  while (guest.counters().oom_kills == 0 && to_kill < Seconds(20)) {
    most_swapped = std::max(most_swapped, guest.memory().swapped());
    guest.Advance(Milliseconds(1));
    to_kill = to_kill + Milliseconds(1);
  }
  EXPECT_GE(to_kill, Milliseconds(2'000));
  EXPECT_LE(to_kill, Milliseconds(3'000));
  EXPECT_GT(guest.counters().stalled_ns, Milliseconds(2'000).count);
  EXPECT_NEAR(most_swapped, 300 * kMiB, kMiB);
  EXPECT_LE(guest.memory().anon() + guest.memory().swapped(), 32 * kMiB);
}

TEST(GuestStory, SwappedMemoryComesBackWhenThereIsRoom) {
  GuestModel guest = Running(Machine(512 * kMiB, true, 512 * kMiB), 40 * kMiB);
  guest.StartSegment({.anon_bytes = 500 * kMiB, .anon_bytes_per_second = 100 * kMiB});
  for (int i = 0; i < 100; ++i) guest.Advance(Milliseconds(100));
  const int64_t swapped = guest.memory().swapped();
  ASSERT_GT(swapped, 40 * kMiB);
  ASSERT_EQ(guest.counters().oom_kills, 0);
  // It changes places with the rest: programs stall a little for good.
  const int64_t stalled = guest.counters().stalled_ns;
  guest.Advance(Seconds(10));
  EXPECT_GT(guest.counters().stalled_ns, stalled);
  guest.StartSegment({.anon_bytes = 250 * kMiB});
  for (int i = 0; i < 600; ++i) guest.Advance(Seconds(1));
  EXPECT_LT(guest.memory().swapped(), kMiB);
  EXPECT_NEAR(guest.memory().anon(), 250 * kMiB, kMiB);
}

TEST(GuestStory, EvictedCacheIsReadBackAndWaitedFor) {
  GuestModel guest = Running(Machine(kGiB, true), 100 * kMiB);
  const Segment reading{
      .anon_bytes = 100 * kMiB, .hot_cache_bytes = 400 * kMiB, .hot_reads_bytes_per_second = 200 * kMiB};
  guest.StartSegment(reading);
  for (int i = 0; i < 30; ++i) guest.Advance(Seconds(1));
  EXPECT_GT(guest.memory().hot(), 399 * kMiB);
  EXPECT_EQ(guest.counters().refaulted_bytes, 0);  // read for the first time, nothing had been evicted
  InflateTo(guest, 600 * kMiB);
  EXPECT_LT(guest.memory().hot(), 300 * kMiB);
  EXPECT_GT(guest.refault_bytes_per_second(), 10 * kMiB);
  EXPECT_GT(guest.stall_permyriad(), 1'000);
  guest.SetTarget(0);
  for (int i = 0; i < 300; ++i) guest.Advance(Milliseconds(100));
  EXPECT_GT(guest.memory().hot(), 395 * kMiB);
  EXPECT_LT(guest.refault_bytes_per_second(), kMiB);
  EXPECT_EQ(guest.stall_permyriad() / 1'000, 0);
}

// A set that never fitted throws itself out; what is missing is read back when there is room at last.
TEST(GuestStory, CacheThatNeverFittedThrashes) {
  GuestModel guest = Running(Machine(kGiB, true), 700 * kMiB);
  Segment reading{
      .anon_bytes = 700 * kMiB, .hot_cache_bytes = 400 * kMiB, .hot_reads_bytes_per_second = 100 * kMiB};
  guest.StartSegment(reading);
  for (int i = 0; i < 60; ++i) guest.Advance(Seconds(1));
  EXPECT_LT(guest.memory().hot(), 300 * kMiB);
  EXPECT_GT(guest.refault_bytes_per_second(), 20 * kMiB);
  const int64_t missing = 400 * kMiB - guest.memory().hot();
  const int64_t refaulted = guest.counters().refaulted_bytes;
  reading.anon_bytes = 300 * kMiB;
  guest.StartSegment(reading);
  for (int i = 0; i < 60; ++i) guest.Advance(Seconds(1));
  EXPECT_NEAR(guest.counters().refaulted_bytes - refaulted, missing, kMiB);
}

// /proc/meminfo: free less the high watermark, and the cache less the smaller of its half and the low one.
TEST(GuestStory, MemAvailableIsTheKernelsEstimate) {
  GuestModel guest = Running(Machine(kGiB, true), 100 * kMiB);
  const int64_t low = guest.memory().low_watermark();
  const int64_t high = guest.memory().high_watermark();
  EXPECT_EQ(guest.memory().min_watermark(), 44 * kMiB);  // min_free_kbytes with huge pages in two zones
  EXPECT_EQ(high, 66 * kMiB);
  ASSERT_EQ(guest.memory().cache(), 0);
  EXPECT_EQ(guest.available(), guest.memory().free() - high);
  guest.StartSegment({.anon_bytes = 100 * kMiB, .cold_reads_bytes_per_second = 10 * kMiB});
  guest.Advance(Seconds(10));
  EXPECT_EQ(guest.available(), guest.memory().free() - high + guest.memory().cache() / 2);
  guest.Advance(Seconds(10));
  EXPECT_EQ(guest.available(), guest.memory().free() - high + guest.memory().cache() - low);
}

TEST(GuestStory, WatermarksAreThoseOfKernels) {
  EXPECT_NEAR(GuestMemory(512 * kMiB).min_watermark(), 2'700 * kKiB, 100 * kKiB);  // too small for huge pages
  EXPECT_NEAR(GuestMemory(768 * kMiB).min_watermark(), 36 * kMiB, kMiB);           // a twentieth
  EXPECT_EQ(GuestMemory(16 * kGiB).min_watermark(), 66 * kMiB);                    // three zones
}

TEST(GuestStory, StreamsFillFreeMemoryWithCacheThatCountsAsAvailable) {
  GuestModel guest = Running(Machine(kGiB, true), 100 * kMiB);
  const int64_t before = guest.available();
  guest.StartSegment({.anon_bytes = 100 * kMiB, .cold_reads_bytes_per_second = 100 * kMiB});
  for (int i = 0; i < 60; ++i) guest.Advance(Seconds(1));
  EXPECT_LE(guest.memory().free(), guest.memory().high_watermark());
  EXPECT_NEAR(guest.available(), before - guest.memory().low_watermark(), 8 * kMiB);
  EXPECT_GT(guest.memory().resident(), 950 * kMiB);
  // Cold cache leaves for programs without anybody waiting.
  guest.StartSegment({.anon_bytes = 700 * kMiB, .anon_bytes_per_second = 400 * kMiB});
  for (int i = 0; i < 50; ++i) guest.Advance(Milliseconds(100));
  EXPECT_EQ(guest.memory().anon(), 700 * kMiB);
  EXPECT_EQ(guest.counters().stalled_ns, 0);
}

// HyperAlloc's raw data: a 16 GiB guest after a build and 200 s of rest 16.0 GiB without and 12.2 with
// reporting, after `make clean` 16.0 and 11.6, after drop_caches 16.0 and 8.0.
TEST(GuestStory, ReportingReturnsNeitherCacheNorFragments) {
  for (const bool reporting : {false, true}) {
    GuestSpec spec = Machine(16 * kGiB, true);
    spec.device.free_page_reporting = reporting;
    GuestModel guest = Running(spec, 500 * kMiB);
    guest.StartSegment({.anon_bytes = 9 * kGiB,
                        .anon_bytes_per_second = 10 * kMiB,
                        .cold_reads_bytes_per_second = 20 * kMiB});
    for (int i = 0; i < 2'400; ++i) guest.Advance(Seconds(1));
    EXPECT_GT(guest.memory().resident(), 15 * kGiB);
    guest.StartSegment({.anon_bytes = 500 * kMiB});
    for (int i = 0; i < 200; ++i) guest.Advance(Seconds(1));
    const double after_build = static_cast<double>(guest.memory().resident()) / kGiB;
    guest.StartSegment({.anon_bytes = 500 * kMiB, .drops_cache = true});
    for (int i = 0; i < 200; ++i) guest.Advance(Seconds(1));
    const double after_drop = static_cast<double>(guest.memory().resident()) / kGiB;
    EXPECT_NEAR(after_build, reporting ? 12.2 : 16.0, 1.0);
    EXPECT_NEAR(after_drop, reporting ? 8.0 : 16.0, 1.0);
  }
}

TEST(GuestStory, TheBalloonTakesFreeThenColdThenHot) {
  GuestModel guest = Running(Machine(kGiB, true), 100 * kMiB);
  guest.StartSegment(
      {.anon_bytes = 100 * kMiB, .hot_cache_bytes = 300 * kMiB, .hot_reads_bytes_per_second = 300 * kMiB});
  for (int i = 0; i < 60; ++i) guest.Advance(Seconds(1));
  guest.StartSegment(
      {.anon_bytes = 100 * kMiB, .hot_cache_bytes = 200 * kMiB});  // 100 MiB go cold, nothing is read
  const int64_t spare = guest.memory().free() - guest.memory().low_watermark();
  InflateTo(guest, spare - 15 * kMiB);
  EXPECT_NEAR(guest.memory().cold(), 100 * kMiB, 2 * kMiB);
  EXPECT_EQ(guest.counters().stalled_ns, 0);
  InflateTo(guest, spare + 65 * kMiB);
  EXPECT_GT(guest.counters().stalled_ns, 0);  // the driver's own reclaim
  EXPECT_LT(guest.memory().cold(), 60 * kMiB);
  EXPECT_NEAR(guest.memory().hot(), 200 * kMiB, 2 * kMiB);
  InflateTo(guest, spare + 205 * kMiB);
  EXPECT_EQ(guest.memory().cold(), 0);
  EXPECT_LT(guest.memory().hot(), 120 * kMiB);
}

TEST(GuestStory, OutOfPuffTheBalloonCrawlsAndStopsAtTheWatermark) {
  GuestModel guest = Running(Machine(kGiB, true), 500 * kMiB);
  guest.SetTarget(900 * kMiB);
  for (int i = 0; i < 20; ++i) guest.Advance(Milliseconds(100));
  const int64_t quick = guest.memory().balloon();
  EXPECT_GT(quick, 350 * kMiB);
  guest.Advance(Seconds(10));
  EXPECT_LT((guest.memory().balloon() - quick) / 10, 15 * kMiB);
  for (int i = 0; i < 600; ++i) guest.Advance(Seconds(1));
  EXPECT_LT(guest.memory().balloon(), 500 * kMiB);
  EXPECT_GE(guest.memory().free(), guest.memory().min_watermark());
  EXPECT_EQ(guest.memory().anon(), 500 * kMiB);
  EXPECT_EQ(guest.counters().oom_kills, 0);
}

TEST(GuestStory, WithZramTheBalloonSwapsTheGuestOutSlowly) {
  GuestModel guest = Running(Machine(kGiB, true, kGiB), 500 * kMiB);
  guest.SetTarget(900 * kMiB);
  for (int i = 0; i < 20; ++i) guest.Advance(Milliseconds(100));
  const int64_t quick = guest.memory().balloon();
  for (int i = 0; i < 600; ++i) guest.Advance(Seconds(1));
  EXPECT_GT(guest.memory().swapped(), 100 * kMiB);
  EXPECT_GT(guest.memory().balloon(), quick + 100 * kMiB);
  EXPECT_EQ(guest.memory().anon() + guest.memory().swapped(), 500 * kMiB);
}

TEST(GuestStory, ABalloonMovesAtItsDevicesSpeed) {
  GuestModel guest = Running(Machine(8 * kGiB, true), 100 * kMiB);
  guest.SetTarget(6 * kGiB);
  guest.Advance(Seconds(1));
  EXPECT_NEAR(guest.memory().balloon(), 921 * kMiB, kMiB);
  InflateTo(guest, 6 * kGiB);
  guest.SetTarget(0);
  guest.Advance(Seconds(1));
  EXPECT_NEAR(guest.memory().balloon(), 6 * kGiB - 2'150 * kMiB, kMiB);
}

TEST(GuestStory, MemTotalKeepsTheBalloonOnlyWithDeflateOnOom) {
  for (const bool deflate_on_oom : {false, true}) {
    GuestModel guest = Running(Machine(kGiB, deflate_on_oom), 100 * kMiB);
    const int64_t total = guest.total();
    InflateTo(guest, 512 * kMiB);
    EXPECT_EQ(guest.total(), deflate_on_oom ? total : total - 512 * kMiB);
    EXPECT_EQ(guest.usable(), total - 512 * kMiB);
  }
}

TEST(GuestStory, AResetKeepsTheTargetAndTheHostsMemory) {
  GuestModel guest = Running(Machine(kGiB, true), 600 * kMiB);
  guest.StartSegment({.anon_bytes = 100 * kMiB});
  InflateTo(guest, 300 * kMiB);
  const int64_t resident = guest.memory().resident();
  guest.Boot();
  EXPECT_EQ(guest.memory().balloon(), 0);
  EXPECT_EQ(guest.target(), 300 * kMiB);
  EXPECT_EQ(guest.memory().resident(), resident);
  guest.Advance(Seconds(1));
  EXPECT_EQ(guest.memory().balloon(), 0);  // no driver yet
  guest.Advance(Seconds(5));
  EXPECT_EQ(guest.memory().balloon(), 300 * kMiB);
}

TEST(GuestStory, ANewVmmHasNeitherTargetNorMemory) {
  GuestModel guest = Running(Machine(kGiB, true), 600 * kMiB);
  InflateTo(guest, 100 * kMiB);
  guest.PowerOff();
  EXPECT_EQ(guest.memory().resident(), 0);
  EXPECT_EQ(guest.memory().used(), 0);
  EXPECT_EQ(guest.target(), 0);
  guest.Boot();
  EXPECT_LT(guest.memory().resident(), 128 * kMiB);
}

TEST(GuestStory, AStuckDriverMovesNothingUntilItIsFreed) {
  GuestModel guest = Running(Machine(kGiB, true), 100 * kMiB);
  guest.SetStuck(true);
  InflateTo(guest, 300 * kMiB);
  EXPECT_EQ(guest.memory().balloon(), 0);
  guest.SetStuck(false);
  for (int i = 0; i < 20; ++i) guest.Advance(Milliseconds(100));
  EXPECT_EQ(guest.memory().balloon(), 300 * kMiB);
}

TEST(GuestStory, PartialReliefStopsHalfWay) {
  GuestModel guest = Running(Machine(kGiB, true), 100 * kMiB);
  InflateTo(guest, 400 * kMiB);
  guest.SetPartial(true);
  guest.SetTarget(0);
  for (int i = 0; i < 50; ++i) guest.Advance(Milliseconds(100));
  EXPECT_EQ(guest.memory().balloon(), 200 * kMiB);
  guest.SetTarget(0);  // asked again, half of the rest
  for (int i = 0; i < 50; ++i) guest.Advance(Milliseconds(100));
  EXPECT_EQ(guest.memory().balloon(), 100 * kMiB);
}

TEST(GuestStory, AUselessBalloonCostsTheGuestAndGivesTheHostNothing) {
  GuestSpec spec = Machine(kGiB, true);
  GuestModel useful = Running(spec, 700 * kMiB);
  spec.device.returns_nothing = true;
  GuestModel useless = Running(spec, 700 * kMiB);
  for (GuestModel* guest : {&useful, &useless}) {
    guest->StartSegment({.anon_bytes = 100 * kMiB});
    InflateTo(*guest, 500 * kMiB);
  }
  EXPECT_EQ(useful.available(), useless.available());
  EXPECT_EQ(useful.memory().resident() + 500 * kMiB, useless.memory().resident());
}

}  // namespace
}  // namespace ballast::sim
