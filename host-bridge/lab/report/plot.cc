#include "host-bridge/lab/report/plot.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "absl/strings/str_format.h"
#include "common/base/text.h"
#include "host-bridge/lab/report/markup.h"

namespace ballast::sim {
namespace {

struct Point {
  std::string x;
  std::string y;
};

// Without the inner points of level stretches, which add nothing but bytes.
std::string PointsText(const std::vector<Point>& points) {
  std::string text;
  for (size_t i = 0; i < points.size(); ++i) {
    const bool level =
        i > 0 && i + 1 < points.size() && points[i - 1].y == points[i].y && points[i + 1].y == points[i].y;
    if (!level) text += StrCat(text.empty() ? "" : " ", points[i].x, ",", points[i].y);
  }
  return text;
}

std::string Line(double x1, double y1, double x2, double y2, std::string_view style) {
  return StrCat("<line class=\"", style, "\" x1=\"", Coordinate(x1), "\" y1=\"", Coordinate(y1), "\" x2=\"",
                Coordinate(x2), "\" y2=\"", Coordinate(y2), "\"/>");
}

std::string MarkText(double value) { return absl::StrFormat("%g", value); }

}  // namespace

double NiceStep(double most, int marks) {
  if (!(most > 0) || !std::isfinite(most)) return 1;
  const double least = most / marks;
  const double power = std::pow(10, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

TimeUnit TimeUnitFor(Nanos length, int marks) {
  static const std::array<TimeUnit, 4> kUnits = {{{"days", Seconds(86400), 1},
                                                  {"hours", Seconds(3600), 1},
                                                  {"minutes", Seconds(60), 1},
                                                  {"seconds", Seconds(1), 1}}};
  TimeUnit unit = kUnits.back();
  for (const TimeUnit& candidate : kUnits) {
    if (length < candidate.size * 3) continue;
    unit = candidate;
    break;
  }
  unit.step = NiceStep(static_cast<double>(length.count) / static_cast<double>(unit.size.count), marks);
  // Quarters of a day are what people count in.
  if (unit.name == "hours" && unit.step > 2) unit.step = unit.step > 5 ? 12 : 6;
  return unit;
}

double Panel::X(Nanos at) const {
  const double share =
      length.count > 0 ? static_cast<double>(at.count) / static_cast<double>(length.count) : 0;
  return left + width * std::clamp(share, 0.0, 1.0);
}

double Panel::Y(double value) const {
  const double share = std::isfinite(value) ? value / most : 0;
  return top + height * (1 - std::clamp(share, 0.0, 1.0));
}

std::string Label(double x, double y, std::string_view style, std::string_view text) {
  return Element("text", StrCat("class=\"", style, "\" x=\"", Coordinate(x), "\" y=\"", Coordinate(y), "\""),
                 Escaped(text));
}

std::string ValueAxis(const Panel& panel, int marks) {
  std::string markup;
  const double step = NiceStep(panel.most, marks);
  for (int i = 0; i * step <= panel.most * (1 + 1e-9); ++i) {
    const double y = panel.Y(i * step);
    markup += Line(panel.left, y, panel.left + panel.width, y, i == 0 ? "axis" : "grid");
    markup += Label(panel.left - 6, y + 4, "mark value", MarkText(i * step));
  }
  return markup + Label(panel.left - 6, panel.top - 7, "unit value", panel.unit);
}

std::string TimeAxis(const Panel& panel, int marks) {
  if (panel.length <= Nanos{}) return "";
  const TimeUnit unit = TimeUnitFor(panel.length, marks);
  const double bottom = panel.top + panel.height;
  std::string markup;
  for (int i = 0;; ++i) {
    const double in_unit = i * unit.step;
    const Nanos at{static_cast<int64_t>(in_unit * static_cast<double>(unit.size.count))};
    if (at > panel.length) break;
    const double x = panel.X(at);
    markup += Line(x, bottom, x, bottom + 4, "axis");
    markup += Label(x, bottom + 17, "mark", MarkText(in_unit));
  }
  return markup + Label(panel.left + panel.width, bottom + 31, "unit value", unit.name);
}

std::string SeriesMarkup(const Panel& panel, const std::vector<Sample>& samples,
                         const std::vector<Series>& series) {
  std::string markup;
  for (const Series& one : series) {
    std::vector<Point> points;
    for (const Sample& sample : samples) {
      points.push_back({Coordinate(panel.X(sample.at)), Coordinate(panel.Y(one.value(sample)))});
    }
    if (points.empty()) continue;
    if (one.area) {
      const std::string base = Coordinate(panel.top + panel.height);
      points.insert(points.begin(), {points.front().x, base});
      points.push_back({points.back().x, base});
    }
    markup += StrCat(one.area ? "<polygon" : "<polyline", " class=\"series ", one.style, "\" data-name=\"",
                     Escaped(one.name), "\" points=\"", PointsText(points), "\"/>");
  }
  const std::string scale = StrCat(
      "data-base=\"", Coordinate(panel.top + panel.height), "\" data-height=\"", Coordinate(panel.height),
      "\" data-most=\"", absl::StrFormat("%g", panel.most), "\" data-unit=\"", Escaped(panel.unit), "\"");
  return Element("g", scale, markup);
}

}  // namespace ballast::sim
