// A reading that knows its age. Absent readings are std::optional<Sampled<T>>, never zero.
#pragma once

#include "common/base/time.h"

namespace ballast {

template <typename T>
struct Sampled {
  T value{};
  MonotonicTime at;  // on the reader's clock

  friend bool operator==(const Sampled&, const Sampled&) = default;
};

template <typename T>
constexpr Nanos AgeOf(const Sampled<T>& sample, MonotonicTime now) {
  return now - sample.at;
}

}  // namespace ballast
