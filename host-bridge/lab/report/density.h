// How many guests of a scenario fit on its host while service is kept.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host-bridge/lab/report/comparison.h"

namespace ballast::sim {

// Service is kept in a world when no process and no VM is killed for memory, tasks stall at most this share
// of guest time, and the host's memory always suffices.
inline constexpr double kStallShare = 0.001;
[[nodiscard]] bool KeepsService(const Measures& measures);

// The guests that fit with nothing shared: boot memory and overhead of all, with the host's own processes,
// within the host's memory.
[[nodiscard]] int StaticFit(const Subject& subject, uint64_t seed);

// The controllers that densities are compared with.
inline constexpr char kStaticName[] = "static";
inline constexpr char kReportingOnlyName[] = "fpr-only";
inline constexpr char kOracleName[] = "oracle";

struct Density {
  std::string controller;
  bool ours = false;
  int guests = 0;       // 0: not even one
  bool capped = false;  // the search ended at its cap, service still kept
  int worlds_run = 0;
};

struct ScenarioDensity {
  std::string scenario;
  int static_fit = 0;
  int cap = 0;
  std::vector<Density> densities;  // in the order of the contenders

  // guests of `controller` over those of `other`; absent when either is missing or `other` has none.
  [[nodiscard]] std::optional<double> Ratio(const std::string& controller, const std::string& other) const;
};

struct DensityOptions {
  // Held to StaticFit besides: what it promises each guest must be there.
  std::string static_controller = kStaticName;
  int cap_times_static = 16;
};

// For each subject that measures density. The search assumes that a host with fewer guests serves them no
// worse: doubling from StaticFit (or halving, where that is too many already), then bisection to one guest,
// or to 1 % of large numbers. A number of guests counts when every seed of `effort` keeps service; the first
// that does not ends the trial.
[[nodiscard]] std::vector<ScenarioDensity> MeasureDensity(const std::vector<Subject>& subjects,
                                                          const std::vector<Contender>& contenders,
                                                          const Effort& effort, const Runner& run,
                                                          const DensityOptions& options = {});

}  // namespace ballast::sim
