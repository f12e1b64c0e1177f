// Whatever programs and balloon do, no byte is lost or invented, and how finely time is cut changes little.
#include <gtest/gtest.h>

#include <algorithm>

#include "host-bridge/lab/model/guest_model.h"

namespace ballast::sim {
namespace {

// xorshift: the same everywhere.
class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {}
  int64_t Below(int64_t bound) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<int64_t>(state_ % static_cast<uint64_t>(bound));
  }

 private:
  uint64_t state_;
};

Segment RandomSegment(Dice& dice, int64_t boot) {
  return {.anon_bytes = dice.Below(boot),
          .anon_bytes_per_second = dice.Below(3) == 0 ? 0 : dice.Below(800) * kMiB + kMiB,
          .hot_cache_bytes = dice.Below(2) * dice.Below(boot / 2),
          .hot_reads_bytes_per_second = dice.Below(200) * kMiB,
          .cold_reads_bytes_per_second = dice.Below(2) * dice.Below(100) * kMiB,
          .drops_cache = dice.Below(6) == 0};
}

GuestSpec RandomMachine(Dice& dice) {
  GuestSpec spec;
  spec.boot_bytes = (128 + dice.Below(4'000)) * kMiB;
  spec.zram_bytes = dice.Below(2) * dice.Below(2'000) * kMiB;
  spec.device.deflate_on_oom = dice.Below(2) == 0;
  spec.device.free_page_reporting = dice.Below(2) == 0;
  spec.device.returns_nothing = dice.Below(4) == 0;
  return spec;
}

void ExpectWhole(const GuestModel& guest) {
  const GuestMemory& memory = guest.memory();
  const int64_t parts[] = {memory.balloon(), memory.anon(), memory.zram_store(), memory.hot(),
                           memory.cold(),    memory.free(), memory.reserve(),    memory.kernel()};
  int64_t sum = 0;
  for (const int64_t part : parts) {
    ASSERT_GE(part, 0);
    sum += part;
  }
  ASSERT_EQ(sum, memory.boot());
  ASSERT_GE(memory.swapped(), 0);
  ASSERT_LE(memory.reportable(), memory.free());
  ASSERT_GE(memory.resident(), memory.used());
  ASSERT_LE(memory.resident(), memory.boot());
  ASSERT_GE(guest.available(), 0);
  ASSERT_LE(guest.available(), guest.usable());
  ASSERT_GE(guest.stall_permyriad(), 0);
  ASSERT_LE(guest.stall_permyriad(), 10'000);
}

TEST(Conservation, HoldsOverRandomLives) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    Dice dice(seed);
    const GuestSpec spec = RandomMachine(dice);
    GuestModel guest(spec);
    guest.Boot();
    int64_t stalled = 0;
    Nanos lived;
    for (int change = 0; change < 60; ++change) {
      switch (dice.Below(12)) {
        case 0:
          guest.Boot();
          break;
        case 1:
          guest.PowerOff();
          guest.Boot();
          break;
        case 2:
          guest.SetStuck(dice.Below(2) == 0);
          break;
        case 3:
          guest.SetPartial(dice.Below(2) == 0);
          break;
        case 4:
        case 5:
        case 6:
        case 7:
          guest.SetTarget(dice.Below(spec.boot_bytes));
          break;
        default:
          guest.StartSegment(RandomSegment(dice, spec.boot_bytes));
          break;
      }
      for (int i = 0; i < 8; ++i) {
        const Nanos step = Milliseconds(1 + dice.Below(dice.Below(2) == 0 ? 20 : 9'000));
        guest.Advance(step);
        lived = lived + step;
        ExpectWhole(guest);
        if (HasFatalFailure()) return;
      }
      ASSERT_GE(guest.counters().stalled_ns, stalled);
      stalled = guest.counters().stalled_ns;
    }
    ASSERT_LE(stalled, lived.count);
  }
}

// One life, cut into steps of the model's own choice and into 10 ms.
TEST(Conservation, FinerStepsGiveTheSameLife) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    Dice dice(seed);
    const GuestSpec spec = RandomMachine(dice);
    GuestModel chosen(spec);
    GuestModel fine(spec);
    chosen.Boot();
    fine.Boot();
    for (int change = 0; change < 8; ++change) {
      if (dice.Below(2) == 0) {
        const int64_t target = dice.Below(spec.boot_bytes / 2);
        chosen.SetTarget(target);
        fine.SetTarget(target);
      }
      Segment segment = RandomSegment(dice, spec.boot_bytes / 2);
      chosen.StartSegment(segment);
      fine.StartSegment(segment);
      Nanos left = Seconds(20);
      while (left.count > 0) {
        const Nanos step = std::min(left, chosen.GoodStep(spec.boot_bytes / 20));
        chosen.Advance(step);
        left = left - step;
      }
      for (int i = 0; i < 2'000; ++i) fine.Advance(Milliseconds(10));
      const double tolerance = 0.02 * static_cast<double>(spec.boot_bytes);
      EXPECT_NEAR(chosen.memory().anon(), fine.memory().anon(), tolerance);
      EXPECT_NEAR(chosen.memory().hot(), fine.memory().hot(), tolerance);
      EXPECT_NEAR(chosen.memory().cold(), fine.memory().cold(), tolerance);
      EXPECT_NEAR(chosen.memory().balloon(), fine.memory().balloon(), tolerance);
      EXPECT_NEAR(chosen.memory().resident(), fine.memory().resident(), tolerance);
      EXPECT_EQ(chosen.counters().oom_kills, fine.counters().oom_kills);
      EXPECT_NEAR(chosen.counters().stalled_ns * 1e-9, fine.counters().stalled_ns * 1e-9,
                  0.3 + 0.1 * fine.counters().stalled_ns * 1e-9);
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace ballast::sim
