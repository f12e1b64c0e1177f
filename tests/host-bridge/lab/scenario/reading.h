// Loads told as numbers, for tests.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "host-bridge/lab/model/workload.h"

namespace ballast::sim {

// The segments of the first `length`.
inline std::vector<Segment> SegmentsOf(Workload& workload, Nanos length) {
  std::vector<Segment> segments;
  for (Nanos at; at < length; at = at + segments.back().length) segments.push_back(workload.Next());
  return segments;
}

inline double SecondsOf(Nanos time) { return static_cast<double>(time.count) * 1e-9; }

inline double QuantileOf(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const auto last = values.size() - 1;
  return values[std::min(last, static_cast<size_t>(share * static_cast<double>(values.size())))];
}

}  // namespace ballast::sim
