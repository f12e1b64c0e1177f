// ChromeOS' way to arbitrate between host and guest over one balloon: each request, even a refused one,
// blocks the opposite direction for a time. It blocks at most one rung above what the opposite side blocks,
// so both climb a rung a request until each has reached its own. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <limits>

#include "common/base/time.h"

namespace ballast::sim {

// From the most urgent to the least.
enum class Rung : uint8_t {
  kBalloonStall,
  kNoKillCandidatesHost,
  kNoKillCandidatesGuest,
  kFocusedTab,
  kFocusedApp,
  kPerceptibleTab,
  kPerceptibleApp,
  kCachedTab,
  kAggressiveBalloon,
  kCachedApp,
  kStaleCachedTab,
  kStaleCachedApp,
  kMglruReclaim,
};
inline constexpr int kRungs = 13;

enum class Direction : uint8_t { kInflate, kDeflate };

class Ladder {
 public:
  Ladder() {
    for (auto& list : until_) list.fill(kNever);
  }

  // Records a request, and whether it may be carried out.
  bool Try(Direction direction, Rung rung, MonotonicTime now) {
    Record(direction, rung, now);
    return static_cast<int>(rung) <= LowestUnblocked(direction, now);
  }

  // A request outranks the opposite blocks by at most one rung (the lowest where there are none), except a
  // stall; a less urgent one takes back the more urgent blocks of its own side, since pressure was seen to
  // fall. The lowest rung blocks nothing.
  void Record(Direction direction, Rung rung, MonotonicTime now) {
    if (rung == Rung::kMglruReclaim) return;
    int at = static_cast<int>(rung);
    const int unblocked = LowestUnblocked(direction, now);
    if (rung != Rung::kBalloonStall && at < unblocked) at = unblocked;
    auto& list = until_[static_cast<size_t>(direction)];
    for (int i = 0; i < at; ++i) list[static_cast<size_t>(i)] = kNever;
    const bool low = at >= static_cast<int>(Rung::kCachedTab);
    if (at < kRungs) list[static_cast<size_t>(at)] = now + (low ? Seconds(100) : Seconds(10));
  }

  // The least urgent rung a request may have to pass; -1 behind a stall's block: none passes.
  [[nodiscard]] int LowestUnblocked(Direction direction, MonotonicTime now) const {
    const auto& opposite = until_[direction == Direction::kInflate ? 1 : 0];
    for (int i = 0; i < kRungs; ++i) {
      if (now <= opposite[static_cast<size_t>(i)]) return i - 1;
    }
    return kRungs - 1;
  }

 private:
  static constexpr MonotonicTime kNever{std::numeric_limits<int64_t>::min()};
  std::array<std::array<MonotonicTime, kRungs>, 2> until_;  // blocked until, by direction of the request
};

}  // namespace ballast::sim
