#include "host-bridge/lab/rivals/oracle.h"

#include <gtest/gtest.h>

#include "host-bridge/lab/model/guest_model.h"
#include "host-bridge/lab/rivals/least_size.h"
#include "tests/host-bridge/lab/rivals/sights.h"

namespace ballast::sim {
namespace {

// Goes through a list, then stays with its last segment.
class Listed final : public Workload {
 public:
  explicit Listed(std::vector<Segment> segments) : segments_(std::move(segments)) {}
  Segment Next() override { return segments_[std::min(next_++, segments_.size() - 1)]; }

 private:
  std::vector<Segment> segments_;
  size_t next_ = 0;
};

// Whether a guest of this size serves the need for a minute: nobody waits and 2 % of usable memory stay
// available.
bool Serves(int64_t boot, const Need& need, int64_t size) {
  GuestModel guest({boot, 0, {}});
  guest.Boot();
  guest.SetTarget(boot - size);
  guest.Advance(Seconds(60));  // the balloon arrives in an idle guest
  guest.StartSegment({.length = Seconds(60),
                      .anon_bytes = need.anon_bytes,
                      .anon_bytes_per_second = 200 * kMiB,
                      .hot_cache_bytes = need.hot_bytes,
                      .hot_reads_bytes_per_second = 400 * kMiB,
                      .cold_reads_bytes_per_second = 50 * kMiB});
  bool starved = false;
  for (int i = 0; i < 600; ++i) {
    guest.Advance(Milliseconds(100));
    starved = starved || guest.available() < guest.usable() / 50;
  }
  const bool holds =
      guest.memory().anon() == need.anon_bytes && guest.memory().hot() >= need.hot_bytes * 99 / 100;
  return holds && !starved && guest.counters().stalled_ns == 0 && guest.counters().oom_deflated_bytes == 0;
}

TEST(LeastSize, ServesInTheModelAndLessDoesNot) {
  for (const int64_t boot : {256 * kMiB, kGiB, 4 * kGiB, 16 * kGiB}) {
    for (const int64_t anon : {boot / 16, boot / 4, boot / 2}) {
      for (const int64_t hot : {int64_t{0}, boot / 8}) {
        const int64_t size = LeastSize(GuestMemory(boot), {anon, hot});
        EXPECT_TRUE(Serves(boot, {anon, hot}, size))
            << boot / kMiB << " " << anon / kMiB << " " << hot / kMiB;
        // What is free rests at the low watermark or at the high one, one per cent of a small guest apart.
        EXPECT_FALSE(Serves(boot, {anon, hot}, size - size / 22))
            << boot / kMiB << " " << anon / kMiB << " " << hot / kMiB;
      }
    }
  }
}

TEST(LeastSize, IsAtMostTheBootMemory) {
  EXPECT_EQ(LeastSize(GuestMemory(kGiB), {.anon_bytes = 2 * kGiB}), kGiB);
}

TEST(Foresight, FollowsARiseAndDropsAtOnce) {
  const GuestMemory guest(4 * kGiB);
  const auto least = [&](int64_t anon) { return LeastSize(guest, {.anon_bytes = anon}); };
  Foresight foresight(4 * kGiB,
                      std::make_unique<Listed>(std::vector<Segment>{
                          {.length = Seconds(100), .anon_bytes = kGiB, .anon_bytes_per_second = 16 * kMiB},
                          {.length = Seconds(100), .anon_bytes = 128 * kMiB}}));
  EXPECT_EQ(foresight.Peak(Seconds(-5), Seconds(-1)), least(0));
  EXPECT_EQ(foresight.Peak(Seconds(0), Seconds(10)), least(160 * kMiB));
  EXPECT_EQ(foresight.Peak(Seconds(90), Seconds(120)), least(kGiB));
  EXPECT_EQ(foresight.Peak(Seconds(101), Seconds(120)), least(128 * kMiB));
}

TEST(Oracle, GivesBeforeTheNeedAndTakesAfterIt) {
  Sights world({4 * kGiB});
  world.guest_plan(0).limits.floor_bytes = 256 * kMiB;
  world.guest_plan(0).workload = [] {
    return std::make_unique<Listed>(std::vector<Segment>{{.length = Seconds(60), .anon_bytes = 128 * kMiB},
                                                         {.length = Seconds(60), .anon_bytes = 2 * kGiB},
                                                         {.length = Seconds(60), .anon_bytes = 128 * kMiB}});
  };
  const GuestMemory guest(4 * kGiB);
  const int64_t small = LeastSize(guest, {.anon_bytes = 128 * kMiB});
  const int64_t large = LeastSize(guest, {.anon_bytes = 2 * kGiB});
  const auto oracle = MakeOracle(world.plan());
  for (int second = 0; second < 170; ++second) {
    const int64_t size = world.Obey(*oracle).front();
    const int64_t need = second >= 57 && second < 120 ? large : small;
    EXPECT_GE(size, need - 4 * kKiB) << second;
    EXPECT_LE(size, (second < 50 || second > 121 ? small : large) + 4 * kKiB) << second;
    world.Pass(Seconds(1));
  }
}

TEST(Oracle, KeepsTheFloor) {
  Sights world({4 * kGiB});
  world.guest_plan(0).workload = [] {
    return std::make_unique<Listed>(std::vector<Segment>{{.length = Seconds(60)}});
  };
  const auto oracle = MakeOracle(world.plan());
  EXPECT_EQ(world.Obey(*oracle).front(), kGiB);
}

}  // namespace
}  // namespace ballast::sim
