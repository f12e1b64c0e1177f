#include "common/os/clock.h"

#include <ctime>

namespace ballast {

MonotonicTime SystemClock::Now() const {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return {int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec};
}

}  // namespace ballast
