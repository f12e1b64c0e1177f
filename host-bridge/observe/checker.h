// Collects the first field of a guest's report that is out of range: every number in it is hostile input.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "common/base/text.h"

namespace ballast::observe {

// No machine has more: 52 bits of physical address. The sentinels 2^63 and 2^64-1 arrive as negative numbers.
inline constexpr int64_t kMaxMemory = int64_t{1} << 52;
// Counters, virtual sizes and times: beyond any uptime, and two of them still add up in 64 bits.
inline constexpr int64_t kMaxCount = int64_t{1} << 61;
inline constexpr int64_t kMaxRate = int64_t{1} << 50;
inline constexpr int64_t kPermyriad = 10'000;

class Checker {
 public:
  void InRange(std::string_view field, int64_t value, int64_t least, int64_t most) {
    if (value >= least && value <= most) return;
    Fail(field, value, StrCat("is not within ", least, "..", most));
  }
  void AtMost(std::string_view field, int64_t value, std::string_view other, int64_t limit) {
    if (value > limit) Fail(field, value, StrCat("is above ", other, " = ", limit));
  }
  void Fail(std::string_view field, int64_t value, std::string_view what) {
    if (status_.ok()) status_ = absl::InvalidArgumentError(StrCat(field, " = ", value, ": ", what));
  }
  [[nodiscard]] const absl::Status& status() const { return status_; }

 private:
  absl::Status status_;
};

}  // namespace ballast::observe
