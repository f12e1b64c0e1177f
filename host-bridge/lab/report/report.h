// All that a report shows, before it becomes text or a page.
#pragma once

#include <string>
#include <vector>

#include "host-bridge/lab/report/comparison.h"
#include "host-bridge/lab/report/density.h"

namespace ballast::sim {

// One world in pictures.
struct Drawing {
  std::string scenario;
  std::string controller;
  bool ours = false;
  uint64_t seed = 0;
  Nanos length;
  Nanos sample_every;
  int64_t host_bytes = 0;
  std::vector<std::string> guests;  // names of those with lines of their own
  std::vector<Sample> samples;
};

struct Report {
  Comparison comparison;
  std::vector<ScenarioDensity> densities;  // empty: not measured
  int density_seeds = 0;
  std::vector<Drawing> drawings;  // by scenario, Ballast's first; empty for the terminal
  std::string command_line;       // that made it
};

// The first world of each subject under Ballast and at most three rivals: those of `preferred` that are
// there, in that order, and others in their own order.
[[nodiscard]] std::vector<Drawing> Draw(const std::vector<Subject>& subjects,
                                        const std::vector<Contender>& contenders, const Effort& effort,
                                        const Runner& run, const std::vector<std::string>& preferred);

// A table as text: for the terminal and for the page. The first row is of headings; the first column of
// names.
struct Table {
  struct Row {
    std::vector<std::string> cells;
    bool ours = false;
  };
  std::vector<std::string> tops;     // headings, two lines
  std::vector<std::string> bottoms;  // as many
  std::vector<bool> harmful;         // whether anything but 0 in this column is to be noticed
  std::vector<Row> rows;
};

[[nodiscard]] Table TableOf(const ScenarioStandings& scenario);
// Every world of every scenario, one row a contender.
[[nodiscard]] Table OverviewOf(const Comparison& comparison);
[[nodiscard]] Table TableOf(const ScenarioDensity& density);

// "100 worlds (seeds 1 to 100) of 8 guests on a host of 64.0 GiB, 1 h each".
[[nodiscard]] std::string CaptionOf(const Comparison& comparison, const ScenarioStandings& scenario);
// What the numbers of a density table mean.
[[nodiscard]] std::string DensityCaption(const Report& report);

}  // namespace ballast::sim
