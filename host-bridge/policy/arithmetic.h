// Integer arithmetic that stops at the ends of int64_t instead of overflowing: guests send any number they
// like.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "common/base/time.h"

namespace ballast::policy {

inline constexpr int64_t kInt64Max = std::numeric_limits<int64_t>::max();
inline constexpr int64_t kInt64Min = std::numeric_limits<int64_t>::min();

// No machine of today has more than 256 TiB; a larger size is a sentinel or a lie. It leaves room to
// multiply.
inline constexpr int64_t kLargestSize = int64_t{1} << 48;

// Rates beyond this are rejected (the contract of GuestReading).
inline constexpr int64_t kLargestRate = int64_t{1} << 50;

__extension__ typedef __int128 Wide;

[[nodiscard]] constexpr int64_t Narrow(Wide value) {
  if (value > kInt64Max) return kInt64Max;
  if (value < kInt64Min) return kInt64Min;
  return static_cast<int64_t>(value);
}

[[nodiscard]] constexpr int64_t Add(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b < 0 ? kInt64Min : kInt64Max;
}
[[nodiscard]] constexpr int64_t Sub(int64_t a, int64_t b) {
  int64_t difference = 0;
  if (!__builtin_sub_overflow(a, b, &difference)) return difference;
  return b < 0 ? kInt64Max : kInt64Min;
}

// a * b / divisor, rounded towards zero; divisor > 0.
[[nodiscard]] constexpr int64_t MulDiv(int64_t a, int64_t b, int64_t divisor) {
  return Narrow(Wide{a} * b / divisor);
}

[[nodiscard]] constexpr int64_t ShareOf(int64_t bytes, int32_t permyriad) {
  // A size times a share fits 64 bits, and dividing those by a constant is several times faster.
  const bool is_size = bytes >= 0 && bytes <= kLargestSize && permyriad >= 0 && permyriad <= 10'000;
  return is_size ? bytes * permyriad / 10'000 : MulDiv(bytes, permyriad, 10'000);
}

// 5/4 of a limit: the one hysteresis of the policy. What was entered at a limit is left a quarter above it.
[[nodiscard]] constexpr int64_t WithMargin(int64_t limit) { return Add(limit, limit / 4); }

[[nodiscard]] constexpr int64_t BytesDuring(int64_t bytes_per_second, Nanos span) {
  if (bytes_per_second == 0) return 0;
  return MulDiv(bytes_per_second, span.count, 1'000'000'000);
}

// At this rate nothing is left of `bytes` by the end of `span`. Neither is divided.
[[nodiscard]] constexpr bool EatenWithin(int64_t bytes, int64_t bytes_per_second, Nanos span) {
  return bytes_per_second > 0 && Wide{bytes} * 1'000'000'000 <= Wide{bytes_per_second} * span.count;
}

// Both for value >= 0 and unit > 0.
[[nodiscard]] constexpr int64_t AlignDown(int64_t value, int64_t unit) { return value - value % unit; }
[[nodiscard]] constexpr int64_t AlignUp(int64_t value, int64_t unit) {
  return AlignDown(Add(value, unit - 1), unit);
}

[[nodiscard]] constexpr Nanos Elapsed(MonotonicTime since, MonotonicTime now) {
  return {Sub(now.ns, since.ns)};
}
[[nodiscard]] constexpr MonotonicTime After(MonotonicTime time, Nanos span) {
  return {Add(time.ns, span.count)};
}

// Fresh: not older than `max_age`, nor from the future. The tolerance covers a sample that arrived after the
// caller had read the clock; a larger step ahead is a broken clock, and such a sample is no better than none.
[[nodiscard]] constexpr bool IsFresh(MonotonicTime at, MonotonicTime now, Nanos max_age) {
  const Nanos age = Elapsed(at, now);
  return age <= max_age && age >= Seconds(-1);
}

}  // namespace ballast::policy
