// Values of the recent past, some distance apart: what rates are taken from.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "common/base/time.h"

namespace ballast {

// Keeps the last N values that came at least `spacing` after the one before them.
template <typename T, size_t N>
class SpacedHistory {
 public:
  struct Point {
    MonotonicTime at;
    T value{};
  };

  explicit SpacedHistory(Nanos spacing) : spacing_(spacing) {}

  void Add(MonotonicTime at, const T& value) {
    if (count_ > 0 && at - Back(0).at < spacing_) return;
    points_[count_++ % N] = {at, value};
  }

  // The oldest value that is not older than `limit`.
  [[nodiscard]] std::optional<Point> Oldest(MonotonicTime now, Nanos limit) const {
    for (size_t age = Size(); age-- > 0;) {
      if (now - Back(age).at <= limit) return Back(age);
    }
    return std::nullopt;
  }

  // The newest value that is at least `span` old, as long as it is not older than `limit`.
  [[nodiscard]] std::optional<Point> Before(MonotonicTime now, Nanos span, Nanos limit) const {
    for (size_t age = 0; age < Size(); ++age) {
      const Point& point = Back(age);
      if (now - point.at < span) continue;
      if (now - point.at > limit) return std::nullopt;
      return point;
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] size_t Size() const { return count_ < N ? count_ : N; }
  // 0 is the newest.
  [[nodiscard]] const Point& Back(size_t age) const { return points_[(count_ - 1 - age) % N]; }

  Nanos spacing_;
  std::array<Point, N> points_{};
  size_t count_ = 0;  // ever added
};

}  // namespace ballast
