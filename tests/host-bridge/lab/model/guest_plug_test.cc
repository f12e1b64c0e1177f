// What a simulated guest makes of memory that is plugged: when it counts, what it costs, and what leaves
// again.
#include <gtest/gtest.h>

#include "host-bridge/lab/model/guest_model.h"

namespace ballast::sim {
namespace {

GuestSpec Machine(int64_t boot_bytes) {
  GuestSpec spec{.boot_bytes = boot_bytes, .device = {}};
  spec.device.plug_bytes = 4 * kGiB;
  return spec;
}

GuestModel Running(const GuestSpec& spec, int64_t anon) {
  GuestModel guest(spec);
  guest.Boot();
  guest.StartSegment({.anon_bytes = anon});
  guest.Advance(Seconds(20));
  return guest;
}

TEST(GuestPlug, ComesOnlineAfterAWhileAndCostsMetadata) {
  GuestModel guest = Running(Machine(kGiB), 200 * kMiB);
  const int64_t total = guest.total();
  const int64_t available = guest.available();
  guest.SetPlugged(kGiB);
  EXPECT_EQ(guest.plugged(), kGiB);
  guest.Advance(Milliseconds(50));
  EXPECT_EQ(guest.total(), total) << "the guest has not noticed yet";
  EXPECT_EQ(guest.offline(), kGiB);
  guest.Advance(Milliseconds(200));
  EXPECT_EQ(guest.offline(), 0);
  EXPECT_EQ(guest.total(), total + kGiB);
  EXPECT_NEAR(guest.available(), available + kGiB - kGiB / 64, kMiB);
}

TEST(GuestPlug, IsNotOnlineWithoutRoomForItsMetadata) {
  GuestModel guest = Running(Machine(128 * kMiB), 60 * kMiB);
  guest.SetPlugged(4 * kGiB);
  guest.Advance(Seconds(2));
  EXPECT_GT(guest.offline(), 0);
  EXPECT_GT(guest.memory().plugged(), 0);
  EXPECT_EQ(guest.counters().oom_kills, 0);
}

TEST(GuestPlug, OutlivesABurstThatTheBootMemoryDoesNotHold) {
  for (const bool plugged : {false, true}) {
    GuestModel guest = Running(Machine(kGiB), 200 * kMiB);
    if (plugged) guest.SetPlugged(2 * kGiB);
    guest.StartSegment({.anon_bytes = 2 * kGiB, .anon_bytes_per_second = 200 * kMiB});
    for (int i = 0; i < 200; ++i) guest.Advance(Milliseconds(100));
    EXPECT_EQ(guest.counters().oom_kills > 0, !plugged);
  }
}

TEST(GuestPlug, LeavesByItsFreeMemoryAndItsCache) {
  GuestModel guest = Running(Machine(kGiB), 200 * kMiB);
  guest.SetPlugged(2 * kGiB);
  guest.StartSegment({.anon_bytes = kGiB, .cold_reads_bytes_per_second = 200 * kMiB});
  for (int i = 0; i < 200; ++i) guest.Advance(Milliseconds(100));
  guest.StartSegment({.anon_bytes = kGiB});
  EXPECT_GT(guest.memory().cache(), kGiB);
  guest.SetPlugged(512 * kMiB);
  for (int i = 0; i < 100; ++i) guest.Advance(Milliseconds(100));
  EXPECT_EQ(guest.plugged(), 512 * kMiB);
  EXPECT_EQ(guest.memory().anon(), kGiB);
  guest.SetPlugged(0);
  for (int i = 0; i < 100; ++i) guest.Advance(Milliseconds(100));
  EXPECT_GT(guest.plugged(), 128 * kMiB) << "programs' memory stays where it is";
  EXPECT_EQ(guest.counters().oom_kills, 0);
}

TEST(GuestPlug, MayBeRefusedInPartAndLeaveInPart) {
  GuestSpec spec = Machine(kGiB);
  spec.device.plug_refused_permyriad = 2500;
  GuestModel refuses = Running(spec, 200 * kMiB);
  refuses.SetPlugged(kGiB);
  refuses.Advance(Seconds(1));
  EXPECT_NEAR(refuses.offline(), kGiB / 4, kMiB);
  spec.device.plug_refused_permyriad = 0;
  spec.device.plug_stays_permyriad = 5000;
  GuestModel stays = Running(spec, 200 * kMiB);
  stays.SetPlugged(kGiB);
  stays.Advance(Seconds(1));
  stays.SetPlugged(0);
  stays.Advance(Seconds(10));
  EXPECT_NEAR(stays.plugged(), kGiB / 2, kMiB);
}

TEST(GuestPlug, SurvivesAResetAndEndsWithItsVmm) {
  GuestModel guest = Running(Machine(kGiB), 200 * kMiB);
  const int64_t boot_total = guest.total();
  guest.SetPlugged(kGiB);
  guest.Advance(Seconds(1));
  guest.Boot();
  guest.Advance(Seconds(20));
  EXPECT_EQ(guest.total(), boot_total + kGiB);
  guest.PowerOff();
  guest.Boot();
  guest.Advance(Seconds(20));
  EXPECT_EQ(guest.plugged(), 0);
  EXPECT_EQ(guest.total(), boot_total);
}

}  // namespace
}  // namespace ballast::sim
