// A measured figure, and the list that ./dev bench prints and writes to build/bench/result.json.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace ballast::bench {

struct Figure {
  std::string name;
  std::optional<double> value;  // absent: it could not be measured; `how` says why
  std::string unit;
  std::string goal;         // for people, "<= 10"; empty: no goal, reported for honesty
  std::optional<bool> met;  // absent: no goal
  std::string peer;         // what it was measured beside, with its value; empty: nothing
  std::string how;          // one sentence: what, how many, with what
};

// Nearest-rank percentile of at least one sample; 0 < share <= 1.
[[nodiscard]] double Percentile(std::vector<double> samples, double share);

[[nodiscard]] std::string TableOf(const std::vector<Figure>& figures);
[[nodiscard]] absl::Status WriteJson(const std::vector<Figure>& figures, const std::string& path);

}  // namespace ballast::bench
