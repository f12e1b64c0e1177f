// Monotonic time as plain integers, so that policy, replay and simulation share one representation.
#pragma once

#include <compare>
#include <cstdint>

namespace ballast {

inline constexpr int64_t kNanosPerMilli = 1'000'000;
inline constexpr int64_t kNanosPerSecond = 1'000'000'000;

// A span of time in nanoseconds. May be negative (the difference of two instants).
struct Nanos {
  int64_t count = 0;

  friend constexpr auto operator<=>(Nanos, Nanos) = default;
  friend constexpr Nanos operator+(Nanos a, Nanos b) { return {a.count + b.count}; }
  friend constexpr Nanos operator-(Nanos a, Nanos b) { return {a.count - b.count}; }
  friend constexpr Nanos operator*(Nanos a, int64_t b) { return {a.count * b}; }
  friend constexpr Nanos operator/(Nanos a, int64_t b) { return {a.count / b}; }
};

constexpr Nanos Microseconds(int64_t n) { return {n * 1'000}; }
constexpr Nanos Milliseconds(int64_t n) { return {n * kNanosPerMilli}; }
constexpr Nanos Seconds(int64_t n) { return {n * kNanosPerSecond}; }

// An instant on one machine's CLOCK_MONOTONIC, nanoseconds since an arbitrary start. Instants of the
// guest and of the host are not comparable; host-bridge/observe/clock_offset.h relates them.
struct MonotonicTime {
  int64_t ns = 0;

  friend constexpr auto operator<=>(MonotonicTime, MonotonicTime) = default;
  friend constexpr MonotonicTime operator+(MonotonicTime t, Nanos d) { return {t.ns + d.count}; }
  friend constexpr MonotonicTime operator-(MonotonicTime t, Nanos d) { return {t.ns - d.count}; }
  friend constexpr Nanos operator-(MonotonicTime a, MonotonicTime b) { return {a.ns - b.ns}; }
};

}  // namespace ballast
