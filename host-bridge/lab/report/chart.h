// A world in one picture: memory, stalls, decisions and kills over time.
#pragma once

#include <string>
#include <vector>

#include "host-bridge/lab/report/report.h"

namespace ballast::sim {

// The tops of the axes; the charts of one scenario share them, so that they can be compared by eye.
struct ChartScale {
  double memory_gib = 1;
  double guest_gib = 1;
  double stall_percent = 1;
};

[[nodiscard]] ChartScale ScaleOf(const std::vector<const Drawing*>& drawings);

enum class ChartSize { kWide, kSmall };

// An <svg> element. The wide one shows single guests besides.
[[nodiscard]] std::string ChartOf(const Drawing& drawing, const ChartScale& scale, ChartSize size);

// What the lines and marks of a chart mean, as an HTML list.
[[nodiscard]] std::string ChartLegend();

}  // namespace ballast::sim
