#include "host-bridge/lab/report/number_text.h"

#include <array>
#include <cmath>
#include <utility>

#include "absl/strings/str_format.h"
#include "common/base/units.h"

namespace ballast::sim {
namespace {

constexpr double kNanosPerSecond = 1e9;

std::string Trimmed(double value, double unit, const char* name) {
  return absl::StrFormat("%.3g %s", value / unit, name);
}

}  // namespace

std::string CountText(int64_t count) {
  const std::string digits = std::to_string(count);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    const bool starts_group = i > 0 && digits[i - 1] != '-' && (digits.size() - i) % 3 == 0;
    if (starts_group) text += ',';
    text += digits[i];
  }
  return text;
}

std::string RateText(double value) {
  if (!std::isfinite(value)) return "-";
  const double size = std::fabs(value);
  if (size == 0) return "0";
  if (size < 0.01) return "<0.01";
  if (size < 9.995) return absl::StrFormat("%.2f", value);
  if (size < 99.95) return absl::StrFormat("%.1f", value);
  if (size < 1e15) return CountText(std::llround(value));
  return absl::StrFormat("%.2g", value);
}

std::string ShortText(double value) {
  constexpr std::array<std::pair<double, const char*>, 3> kScales = {{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}}};
  if (!std::isfinite(value) || std::fabs(value) < 9999.5) return RateText(value);
  for (const auto& [scale, name] : kScales) {
    const double scaled = value / scale;
    if (std::fabs(scaled) < 0.9995) continue;
    const int decimals = std::fabs(scaled) < 9.995 ? 2 : std::fabs(scaled) < 99.95 ? 1 : 0;
    return absl::StrFormat("%.*f%s", decimals, scaled, name);
  }
  return RateText(value);
}

std::string SecondsText(Nanos time) { return RateText(static_cast<double>(time.count) / kNanosPerSecond); }

std::string RatioText(double ratio) { return std::isfinite(ratio) ? absl::StrFormat("%.2f", ratio) : "-"; }

std::string GibText(double bytes) {
  if (!std::isfinite(bytes)) return "-";
  const double gib = bytes / static_cast<double>(kGiB);
  return std::fabs(gib) < 999.95 ? absl::StrFormat("%.1f", gib) : CountText(std::llround(gib));
}

std::string SpanText(Nanos time) {
  const double seconds = static_cast<double>(time.count) / kNanosPerSecond;
  if (seconds < 120) return Trimmed(seconds, 1, "s");
  if (seconds < 7200) return Trimmed(seconds, 60, "min");
  if (seconds < 172800) return Trimmed(seconds, 3600, "h");
  return Trimmed(seconds, 86400, "d");
}

}  // namespace ballast::sim
