// A recording beside the simulator's account of the same story.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/host-bridge/lab/calibration/recording.h"
#include "tests/host-bridge/lab/calibration/series.h"

namespace ballast::calibration {

// One question, and how far the model's answer may be from the real guest's.
struct Measure {
  std::string what;
  std::string unit;
  std::function<double(const Series&)> of;
  // In the measure's unit; absent: shown, not judged (the machine's own speed).
  std::optional<double> allowed;
  std::string reason;  // why it may be so much, or why it is not judged
};

// The questions of a story; empty for a name that is none.
[[nodiscard]] std::vector<Measure> MeasuresOf(const std::string& story);

struct Row {
  std::string what;
  std::string unit;
  double measured = 0;
  double modelled = 0;
  std::optional<double> allowed;
  std::string reason;

  [[nodiscard]] bool holds() const;
};

struct StoryComparison {
  std::string title;
  std::string machine;  // the guest, and the speeds the model was given
  std::vector<Row> rows;
};

[[nodiscard]] StoryComparison Compare(const Recording& recording);
// A table for people.
[[nodiscard]] std::string TextOf(const StoryComparison& comparison);
// The whole of docs/results/calibration.txt.
[[nodiscard]] std::string ReportOf(const std::vector<Recording>& recordings);

}  // namespace ballast::calibration
