// Counts how often one guest's target turned round: more than 64 MiB in one direction, less than ten minutes
// after more than 64 MiB in the other. Several small commands in a row are one move.
#pragma once

#include <cstdint>
#include <optional>

#include "common/base/time.h"
#include "common/base/units.h"

namespace ballast::sim {

class Reversals {
 public:
  // The next commanded target. True when it makes a reversal complete.
  bool Command(int64_t target, MonotonicTime at) {
    const int64_t delta = target - target_;
    if (delta == 0) return false;
    const bool takes = delta > 0;
    if (takes != takes_) {
      takes_ = takes;
      began_at_ = target_;
      counted_ = false;
    }
    target_ = target;
    const int64_t moved = takes ? target - began_at_ : began_at_ - target;
    if (moved <= kLarge) return false;
    (takes ? last_taking_ : last_giving_) = at;
    const std::optional<MonotonicTime>& other = takes ? last_giving_ : last_taking_;
    const bool reversal = !counted_ && other && at - *other < kSoon;
    counted_ = true;
    return reversal;
  }

  // A new VMM: its balloon is empty and its past is none.
  void Forget() { *this = Reversals(); }

 private:
  static constexpr int64_t kLarge = 64 * kMiB;
  static constexpr Nanos kSoon = Seconds(600);

  int64_t target_ = 0;
  int64_t began_at_ = 0;  // target at which the present move began
  bool takes_ = true;
  bool counted_ = false;
  std::optional<MonotonicTime> last_taking_;
  std::optional<MonotonicTime> last_giving_;
};

}  // namespace ballast::sim
