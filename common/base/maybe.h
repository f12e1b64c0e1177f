// std::optional for a value that is one 64-bit integer, in 8 bytes instead of 16: a decision reads and writes
// the history of ten thousand guests, and its time is the time their bytes need through the caches.
#pragma once

#include <bit>
#include <cassert>
#include <cstdint>
#include <limits>
#include <optional>
#include <type_traits>

namespace ballast {

// Absent, or a T. The one value that a present T cannot have is the smallest int64_t (as an instant: 292
// years before the machine was started).
template <typename T>
class Maybe {
  static_assert(sizeof(T) == sizeof(int64_t) && std::is_trivially_copyable_v<T>);

 public:
  constexpr Maybe() = default;
  constexpr Maybe(std::nullopt_t) {}
  constexpr Maybe(T value) : bits_(std::bit_cast<int64_t>(value)) {}

  [[nodiscard]] constexpr bool has_value() const { return bits_ != kAbsent; }
  constexpr explicit operator bool() const { return has_value(); }
  [[nodiscard]] constexpr T operator*() const {
    assert(has_value());
    return std::bit_cast<T>(bits_);
  }
  [[nodiscard]] constexpr T value() const { return **this; }
  [[nodiscard]] constexpr T value_or(T other) const { return has_value() ? **this : other; }
  constexpr void reset() { bits_ = kAbsent; }

  friend constexpr bool operator==(Maybe, Maybe) = default;

 private:
  static constexpr int64_t kAbsent = std::numeric_limits<int64_t>::min();
  int64_t bits_ = kAbsent;
};

}  // namespace ballast
