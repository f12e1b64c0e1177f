// Bytes and times of a flow, in plain 64-bit integers: the model is asked millions of times a second.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/base/time.h"
#include "common/base/units.h"

namespace ballast::sim {

// Faster than any memory; with it `BytesIn` stays within 64 bits for spans up to a minute.
inline constexpr int64_t kFastest = 64 * kGiB;
inline constexpr int64_t kMicrosecondsPerSecond = 1'000'000;
inline constexpr int64_t kWholeShare = 10'000;  // permyriad

// 0 <= bytes_per_second, 0 <= span <= 60 s; speeds above kFastest count as kFastest.
[[nodiscard]] constexpr int64_t BytesIn(int64_t bytes_per_second, Nanos span) {
  return std::min(bytes_per_second, kFastest) * (span.count / 1'000) / kMicrosecondsPerSecond;
}

// How long `bytes` take; 0 <= bytes <= 2^42, bytes_per_second > 0. At least a microsecond.
[[nodiscard]] constexpr Nanos TimeFor(int64_t bytes, int64_t bytes_per_second) {
  const int64_t us = bytes * 1'000 / std::max<int64_t>(1, bytes_per_second / 1'000);
  return Microseconds(std::max<int64_t>(1, us));
}

}  // namespace ballast::sim
