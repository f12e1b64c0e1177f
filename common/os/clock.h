// Time as a parameter: code that needs "now" takes a Clock, only main builds the real one.
#pragma once

#include "common/base/time.h"

namespace ballast {

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual MonotonicTime Now() const = 0;
};

// CLOCK_MONOTONIC.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] MonotonicTime Now() const override;
};

}  // namespace ballast
