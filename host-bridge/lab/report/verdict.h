// Where a rival does better than Ballast. Nothing that belongs here may be left out of a report.
#pragma once

#include <string>
#include <vector>

#include "host-bridge/lab/report/comparison.h"
#include "host-bridge/lab/report/summary.h"

namespace ballast::sim {

// A rival has equal density when it holds no more host memory on average than Ballast times this.
inline constexpr double kEqualDensity = 1.02;

// One rival that kills less or stalls less in one scenario. "Less" is judged at the precision shown.
struct Better {
  std::string scenario;
  std::string rival;
  bool fewer_kills = false;  // guest OOM kills and VMs lost, together
  bool less_stall = false;   // PSI seconds a guest-hour
  Summary ours;
  Summary theirs;
};

struct Verdicts {
  std::vector<Better> at_equal_density;
  std::vector<Better> with_more_memory;  // better, but holding more host memory than that
};

// Compares the first contender that is ours with each that is not; both empty where there is none.
[[nodiscard]] Verdicts Judge(const Comparison& comparison);

// One line a scenario: "mixed (Ballast 2 kills, 1.21 s/h, 33.0 GiB): oracle 0 kills, 0 s/h, 31.2 GiB; vm0
// ...".
[[nodiscard]] std::vector<std::string> LinesOf(const std::vector<Better>& list);

// The verdict as paragraphs: a heading and its lines ("none" where there is nothing to list).
struct VerdictList {
  std::string heading;
  std::vector<std::string> lines;
};
[[nodiscard]] std::vector<VerdictList> ListsOf(const Comparison& comparison, const Verdicts& verdicts);

// One line for each promise of a scenario file that Ballast did not keep, with the scenario's name.
[[nodiscard]] std::vector<std::string> MissedExpectations(const Comparison& comparison);

}  // namespace ballast::sim
