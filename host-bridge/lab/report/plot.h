// One panel of a chart over time, as SVG: axes, grid, lines and areas.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.h"
#include "host-bridge/lab/world/run.h"

namespace ballast::sim {

// A unit to show times in, and the distance of the axis's marks in it.
struct TimeUnit {
  std::string name;  // "seconds", "minutes", "hours", "days"
  Nanos size;
  double step = 1;
};

[[nodiscard]] TimeUnit TimeUnitFor(Nanos length, int marks);

// 1, 2 or 5 times a power of ten, so that at most `marks` steps reach `most`. 1 for a `most` that is
// not above 0.
[[nodiscard]] double NiceStep(double most, int marks);

struct Panel {
  double left = 0;
  double top = 0;
  double width = 0;
  double height = 0;
  Nanos length;      // of the time axis
  double most = 1;   // top of the value axis, in its unit; > 0
  std::string unit;  // "GiB", "%"

  [[nodiscard]] double X(Nanos at) const;
  [[nodiscard]] double Y(double value) const;  // clamped to the panel
};

// A sample's value in the panel's unit.
using ValueOfSample = std::function<double(const Sample&)>;

// A line or an area; `name` is shown to those who point at it.
struct Series {
  std::string name;
  std::string style;  // a class of the page's style sheet
  bool area = false;
  ValueOfSample value;
};

// Marks and labels of the value axis, at most `marks` above 0, with grid lines.
[[nodiscard]] std::string ValueAxis(const Panel& panel, int marks);

// Marks and labels of the time axis below the panel.
[[nodiscard]] std::string TimeAxis(const Panel& panel, int marks);

[[nodiscard]] std::string SeriesMarkup(const Panel& panel, const std::vector<Sample>& samples,
                                       const std::vector<Series>& series);

[[nodiscard]] std::string Label(double x, double y, std::string_view style, std::string_view text);

}  // namespace ballast::sim
