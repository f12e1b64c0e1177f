// A controller's worlds of one scenario, summed up; and the columns in which this is shown.
#pragma once

#include <string>
#include <vector>

#include "host-bridge/lab/report/world_result.h"

namespace ballast::sim {

// Over all worlds, and how it is spread over them (nearest rank).
struct Spread {
  double overall = 0;
  double p50 = 0;
  double p99 = 0;
};

// Sums over all worlds, in seconds: what a nanosecond count holds ends at 2.5 million hours.
struct TimesOf {
  double guest = 0;
  double starved = 0;
  double starved_by_us = 0;
  double stalled = 0;
  double host_swapping = 0;
};

struct Summary {
  size_t worlds = 0;
  size_t worlds_with_kills = 0;
  Measures total;  // sums (of times up to what they hold); the peak is the highest
  TimesOf seconds;
  Spread stall_seconds_per_guest_hour;
  Spread amplification;
  double mean_resident_bytes = 0;  // host memory behind the guests, over time
  double commands_per_guest_hour = 0;

  [[nodiscard]] int64_t kills() const { return total.guest_oom_kills + total.host_oom_kills; }
};

[[nodiscard]] Summary Summarize(const std::vector<WorldResult>& worlds);

// One column of the table, for the terminal and for the page alike. In all of them less is better.
struct Column {
  std::string top;  // heading, two short lines
  std::string bottom;
  std::string definition;  // one sentence
  std::string (*text)(const Summary&) = nullptr;
  bool harmful = false;  // anything but 0 is to be noticed
};

[[nodiscard]] const std::vector<Column>& Columns();

}  // namespace ballast::sim
