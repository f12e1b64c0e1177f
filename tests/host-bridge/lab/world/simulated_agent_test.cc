// What the simulated agent says of zram: nothing of a guest without, and of one that swaps when it will be
// full.
#include "host-bridge/lab/world/simulated_agent.h"

#include <gtest/gtest.h>

#include "common/base/units.h"

namespace ballast::sim {
namespace {

// Holds `anon` of 1 GiB after a minute beside a page cache, sampled every 100 ms; the last reading.
policy::GuestReading After(int64_t zram, int64_t anon, int samples, int32_t swaps_early_permyriad = 0) {
  GuestModel guest(
      {.boot_bytes = kGiB, .zram_bytes = zram, .device = {}, .swaps_early_permyriad = swaps_early_permyriad});
  guest.Boot();
  guest.StartSegment(
      {.anon_bytes = 200 * kMiB, .hot_cache_bytes = 500 * kMiB, .hot_reads_bytes_per_second = 100 * kMiB});
  for (int second = 0; second < 60; ++second) guest.Advance(Seconds(1));
  guest.StartSegment({.anon_bytes = anon, .anon_bytes_per_second = 50 * kMiB, .hot_cache_bytes = 500 * kMiB});
  const policy::PolicyConfig config;
  SimulatedAgent agent(config);
  MonotonicTime now{Seconds(100).count};
  for (int i = 0; i < samples; ++i) {
    guest.Advance(Milliseconds(100));
    now = now + Milliseconds(100);
    static_cast<void>(agent.Sample(guest, now, now + Milliseconds(100)));
  }
  return agent.reading();
}

TEST(SimulatedAgent, SaysNothingOfZramThatIsNotThere) {
  EXPECT_FALSE(After(0, 500 * kMiB, 20).zram_left_bytes);
}

TEST(SimulatedAgent, SaysWhatZramTakesWhileNothingGoesThere) {
  const policy::GuestReading reading = After(256 * kMiB, 200 * kMiB, 20);
  EXPECT_EQ(reading.zram_left_bytes, Maybe<int64_t>(256 * kMiB));
  EXPECT_EQ(reading.zram_stored_bytes, 0);
  EXPECT_FALSE(reading.zram_full_in);
}

TEST(SimulatedAgent, SaysWhenZramWillBeFull) {
  const policy::GuestReading reading = After(256 * kMiB, 900 * kMiB, 80, 5'000);
  EXPECT_GT(reading.zram_stored_bytes, 10 * kMiB);
  EXPECT_EQ(*reading.zram_left_bytes + reading.zram_stored_bytes, 256 * kMiB);
  ASSERT_TRUE(reading.zram_full_in);
  // Half of 50 MiB/s, and half again for what the compressed copies take.
  const int64_t at_full_speed = *reading.zram_left_bytes / (38 * kMiB);
  EXPECT_NEAR((*reading.zram_full_in).count / 1e9, at_full_speed, 2);
  EXPECT_GT(reading.available_bytes, 64 * kMiB) << "beside a cache that counts as available";
}

TEST(SimulatedAgent, AGuestThatDoesNotSwapEarlyDropsItsCacheFirst) {
  EXPECT_EQ(After(256 * kMiB, 600 * kMiB, 40).zram_stored_bytes, 0);
}

}  // namespace
}  // namespace ballast::sim
