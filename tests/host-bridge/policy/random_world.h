// Random worlds for property tests: mostly plausible, with lies, sentinels and contradictions strewn in.
#pragma once

#include <random>

#include "tests/host-bridge/policy/world.h"

namespace ballast::policy {

class RandomWorld {
 public:
  explicit RandomWorld(uint64_t seed) : random_(seed) {}

  [[nodiscard]] World Make();
  // Some readings change, time passes, some balloons move.
  void Disturb(World& world);
  // Plausible guests with slack or need on a host with `available`; nothing contradicts anything.
  [[nodiscard]] World MakeHonest();

  int64_t Between(int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(random_);
  }
  bool OneIn(int64_t n) { return Between(1, n) == 1; }
  std::mt19937_64& engine() { return random_; }

 private:
  int64_t Hostile();
  int64_t Size(int64_t most);  // 0..most, now and then hostile
  GuestFacts MakeGuest(int index, MonotonicTime now);
  GuestReading MakeReading(int64_t base, int64_t balloon);
  MonotonicTime Instant(MonotonicTime now, Nanos reach);
  void SpoilHistory(GuestHistory& history, int64_t base, MonotonicTime now);

  std::mt19937_64 random_;
};

}  // namespace ballast::policy
