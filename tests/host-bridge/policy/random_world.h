// Random worlds for property tests: mostly plausible, with lies, sentinels and contradictions strewn in.
#pragma once

#include <cstdint>
#include <random>

#include "tests/host-bridge/policy/world.h"

namespace ballast::policy {

// The same seed gives the same world on every machine.
class RandomWorld {
 public:
  explicit RandomWorld(uint64_t seed) : random_(seed) {}

  // Anything at all, in every field that Decide reads.
  [[nodiscard]] World Make();
  [[nodiscard]] World Make(int64_t guests);
  // Some readings change, time passes or jumps, some balloons move, some VMMs go and come back.
  void Disturb(World& world);
  // Plausible guests with slack or need on a host with any amount available; nothing contradicts anything,
  // and no history.
  [[nodiscard]] World MakeHonest();

  // Both ends included; the slight preference for small numbers does not matter here.
  int64_t Between(int64_t least, int64_t most) {
    const uint64_t span = static_cast<uint64_t>(most) - static_cast<uint64_t>(least) + 1;
    return static_cast<int64_t>(static_cast<uint64_t>(least) + random_() % span);
  }
  bool OneIn(int64_t n) { return Between(1, n) == 1; }

 private:
  int64_t Hostile();
  int64_t Size(int64_t most);  // 0..most, now and then hostile
  GuestFacts MakeGuest(int index, MonotonicTime now);
  void SetLimits(GuestLimits& limits, int64_t base);
  GuestReading MakeReading(int64_t base, int64_t balloon);
  void MakeParts(GuestReading& reading);
  void AddPlug(GuestFacts& facts, MonotonicTime now);
  void AddBlocks(GuestFacts& facts);
  VmmReading MakeVmm(int64_t base);
  void MakeConfig(PolicyConfig& config);
  void MakeHost(World& world);
  MonotonicTime Instant(MonotonicTime now, Nanos reach);
  void SpoilHistory(GuestHistory& history, int64_t base, MonotonicTime now);
  void SpoilIdleHistory(GuestHistory& history, int64_t base, MonotonicTime now);

  std::mt19937_64 random_;
};

}  // namespace ballast::policy
