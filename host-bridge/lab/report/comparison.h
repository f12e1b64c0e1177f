// Runs every scenario under every controller with the same seeds, and sums up.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "host-bridge/lab/report/world_result.h"
#include "host-bridge/lab/scenario/scenario.h"
#include "host-bridge/lab/world/controller.h"
#include "host-bridge/lab/world/run.h"

namespace ballast::sim {

// A scenario as far as a comparison needs it.
struct Subject {
  std::string name;
  std::string title;
  std::vector<Expectation> expectations;
  bool measures_density = false;
  int guests = 0;
  std::function<WorldPlan(uint64_t seed, int guests)> plan;  // called by several threads at once
};

struct Contender {
  ControllerKind kind;
  bool ours = false;  // Ballast or a variant of it: not a rival
};

using Runner = std::function<RunResult(const WorldPlan&, const ControllerKind&, const RunOptions&)>;
// How many of the worlds are done. One call at a time, by any thread.
using Progress = std::function<void(size_t done, size_t total)>;

struct Effort {
  uint64_t first_seed = 1;
  int seeds = 10;
  unsigned threads = 0;  // 0: one a core. Results do not depend on it.
  Progress progress;     // may be empty
};

// One controller in one scenario.
struct Standing {
  std::string controller;
  bool ours = false;
  std::vector<WorldResult> worlds;  // by seed
};

struct ScenarioStandings {
  std::string name;
  std::string title;
  std::vector<Expectation> expectations;
  int guests = 0;
  Nanos length;                     // of a world
  int64_t host_bytes = 0;           // memory of the host
  std::vector<Standing> standings;  // in the order of the contenders
};

struct Comparison {
  uint64_t first_seed = 1;
  int seeds = 0;
  std::vector<Contender> contenders;
  std::vector<ScenarioStandings> scenarios;
};

[[nodiscard]] Comparison Compare(const std::vector<Subject>& subjects,
                                 const std::vector<Contender>& contenders, const Effort& effort,
                                 const Runner& run);

}  // namespace ballast::sim
