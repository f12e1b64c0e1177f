#include "common/base/size_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "common/base/text.h"
#include "common/base/units.h"

namespace ballast {
namespace {

constexpr int64_t kMaxSize = int64_t{1} << 62;

constexpr std::array<std::pair<std::string_view, int64_t>, 4> kUnits{
    {{"KiB", kKiB}, {"MiB", kMiB}, {"GiB", kGiB}, {"TiB", kGiB * 1024}}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kWrongUnits{{{"KB", "KiB"},
                                                                                     {"MB", "MiB"},
                                                                                     {"GB", "GiB"},
                                                                                     {"TB", "TiB"},
                                                                                     {"K", "KiB"},
                                                                                     {"M", "MiB"},
                                                                                     {"G", "GiB"},
                                                                                     {"T", "TiB"},
                                                                                     {"kB", "KiB"},
                                                                                     {"mb", "MiB"},
                                                                                     {"gb", "GiB"},
                                                                                     {"B", "KiB"}}};

absl::Status WrongUnit(std::string_view text, std::string_view number, std::string_view unit) {
  for (const auto& [wrong, right] : kWrongUnits) {
    if (unit == wrong) {
      return absl::InvalidArgumentError(StrCat("size '", text, "' uses the unit '", unit, "'; write '",
                                               number, right, "' (binary units only)"));
    }
  }
  if (unit.empty()) {
    return absl::InvalidArgumentError(
        StrCat("size '", text, "' has no unit; write for example '", number, "MiB'"));
  }
  return absl::InvalidArgumentError(
      StrCat("size '", text, "' has the unknown unit '", unit, "'; use KiB, MiB, GiB or TiB"));
}

}  // namespace

absl::StatusOr<int64_t> ParseSize(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view digits = text.substr(0, end - text.data());
  if (error == std::errc::result_out_of_range) {
    return absl::InvalidArgumentError(StrCat("size '", text, "' is larger than 2^62 bytes"));
  }
  if (error != std::errc{} || number < 0) {
    return absl::InvalidArgumentError(
        StrCat("size '", text, "' is not a whole number with a unit, such as '512MiB'"));
  }
  std::string_view unit = text.substr(digits.size());
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  if (number == 0 && (unit.empty() || unit == "B")) return 0;
  for (const auto& [name, bytes] : kUnits) {
    if (unit != name) continue;
    if (number > kMaxSize / bytes) {
      return absl::InvalidArgumentError(StrCat("size '", text, "' is larger than 2^62 bytes"));
    }
    return number * bytes;
  }
  return WrongUnit(text, digits, unit);
}

std::string FormatSize(int64_t bytes) {
  const std::string_view sign = bytes < 0 ? "-" : "";
  // -2^63 has no positive twin; one byte less is as good for human eyes.
  const int64_t magnitude = bytes < 0 ? -std::max(bytes, -std::numeric_limits<int64_t>::max()) : bytes;
  for (auto unit = kUnits.rbegin(); unit != kUnits.rend(); ++unit) {
    if (magnitude < unit->second) continue;
    if (magnitude % unit->second == 0) return StrCat(sign, magnitude / unit->second, unit->first);
    return StrCat(sign, absl::StrFormat("%.1f", static_cast<double>(magnitude) / unit->second), unit->first);
  }
  return StrCat(bytes, "B");
}

}  // namespace ballast
