// Stalled time in a window of 2 s, as the kernel's PSI triggers reckon it: what grew since the window began,
// and of the window before it the part that would still be inside.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/base/time.h"

namespace ballast::sim {

class PsiWindow {
 public:
  static constexpr Nanos kLength = Seconds(2);

  // Between the last call and `now` tasks stalled this share of the time. Returns what the window holds.
  Nanos Add(MonotonicTime now, int32_t stalled_permyriad) {
    const Nanos passed{std::clamp<int64_t>(now.ns - last_.ns, 0, kLength.count)};
    last_ = std::max(last_, now);
    total_ = total_ + passed * std::clamp(stalled_permyriad, 0, 10'000) / 10'000;
    const Nanos elapsed = last_ - began_;
    const Nanos growth = total_ - at_start_;
    if (elapsed >= kLength) {
      began_ = last_;
      at_start_ = total_;
      before_ = growth;
      return growth;
    }
    const int64_t left_permyriad = (kLength - elapsed).count * 10'000 / kLength.count;
    return growth + before_ * left_permyriad / 10'000;
  }

  // Nothing in this window nor the one before.
  [[nodiscard]] bool quiet() const { return total_ == at_start_ && before_ == Nanos{}; }

 private:
  MonotonicTime last_;
  MonotonicTime began_;
  Nanos total_;
  Nanos at_start_;
  Nanos before_;
};

}  // namespace ballast::sim
