// Numbers as both the terminal's table and the page show them: one function a kind, so that the two cannot
// differ. What is not a finite number is "-".
#pragma once

#include <cstdint>
#include <string>

#include "common/base/time.h"

namespace ballast::sim {

// 0 when there is no whole.
[[nodiscard]] constexpr double Ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

[[nodiscard]] std::string CountText(int64_t count);  // "1,234,567"
[[nodiscard]] std::string SecondsText(Nanos time);   // "0", "0.04", "1.3", "12,345": never 0 unless it is
[[nodiscard]] std::string RateText(double value);    // likewise, for a plain number
[[nodiscard]] std::string ShortText(double value);  // RateText, from 10,000 on "12.3k", "4.56M": 5 characters
[[nodiscard]] std::string RatioText(double ratio);  // "1.24"
[[nodiscard]] std::string GibText(double bytes);    // "12.3", in GiB
[[nodiscard]] std::string SpanText(Nanos time);     // "90 s", "1.5 h", "30 d"

}  // namespace ballast::sim
