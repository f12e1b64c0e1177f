#include "host-bridge/config/value_text.h"

#include <algorithm>
#include <charconv>

#include "absl/status/status.h"
#include "common/base/units.h"

namespace ballast::config {
namespace {

constexpr int64_t kMaxNanos = int64_t{1} << 62;

// Largest first: the order FormatDuration tries.
constexpr Words<int64_t, 5> kTimeUnits{{{"h", 3'600'000'000'000},
                                        {"min", 60'000'000'000},
                                        {"s", 1'000'000'000},
                                        {"ms", 1'000'000},
                                        {"us", 1'000}}};
constexpr Words<int64_t, 4> kSizeUnits{{{"TiB", 1024 * kGiB}, {"GiB", kGiB}, {"MiB", kMiB}, {"KiB", kKiB}}};

// The number at the front of `text`, and what follows it.
struct Leading {
  int64_t number = 0;
  std::string_view rest;
  bool ok = false;
};

Leading TakeNumber(std::string_view text) {
  Leading leading;
  if (text.empty() || text.front() < '0' || text.front() > '9') return leading;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), leading.number);
  leading.rest = text.substr(static_cast<size_t>(end - text.data()));
  leading.ok = error == std::errc{};
  return leading;
}

}  // namespace

absl::StatusOr<Nanos> ParseDuration(std::string_view text) {
  auto [number, unit, ok] = TakeNumber(text);
  if (!ok) {
    return absl::InvalidArgumentError(
        StrCat("duration '", text, "' is not a whole number with a unit; write for example '100ms' or '2s'"));
  }
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  if (unit.empty() && number == 0) return Nanos{0};
  if (unit.empty()) {
    return absl::InvalidArgumentError(
        StrCat("duration '", text, "' has no unit; write for example '", number, "s' or '", number, "ms'"));
  }
  for (const auto& [name, nanos] : kTimeUnits) {
    if (name != unit) continue;
    if (number > kMaxNanos / nanos) {
      return absl::InvalidArgumentError(StrCat("duration '", text, "' is longer than 2^62 ns"));
    }
    return Nanos{number * nanos};
  }
  return absl::InvalidArgumentError(
      StrCat("duration '", text, "' has the unknown unit '", unit, "'; use us, ms, s, min or h"));
}

std::string FormatDuration(Nanos duration) {
  if (duration.count == 0) return "0";
  for (const auto& [name, nanos] : kTimeUnits) {
    if (duration.count % nanos == 0) return StrCat(duration.count / nanos, name);
  }
  return StrCat(duration.count / 1'000, "us");
}

absl::StatusOr<int32_t> ParsePercent(std::string_view text) {
  const absl::Status wrong = absl::InvalidArgumentError(
      StrCat("'", text, "' is not a percentage from 0% to 100%; write for example '10%' or '2.5%'"));
  auto [whole, rest, ok] = TakeNumber(text);
  if (!ok || whole > 100) return wrong;
  int64_t permyriad = whole * 100;
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    int64_t weight = 10;
    for (; !rest.empty() && rest.front() >= '0' && rest.front() <= '9'; rest.remove_prefix(1)) {
      if (weight == 0) return absl::InvalidArgumentError(StrCat("'", text, "' has more than two decimals"));
      permyriad += (rest.front() - '0') * weight;
      weight /= 10;
    }
    if (weight == 10) return wrong;
  }
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  if (rest != "%" || permyriad > 10'000) return wrong;
  return static_cast<int32_t>(permyriad);
}

std::string FormatPercent(int32_t permyriad) {
  const int32_t decimals = permyriad % 100;
  std::string text = StrCat(permyriad / 100);
  if (decimals != 0) text += StrCat(".", decimals / 10, decimals % 10);
  if (decimals != 0 && decimals % 10 == 0) text.pop_back();
  return text + "%";
}

std::string FormatExactSize(int64_t bytes) {
  if (bytes == 0) return "0";
  for (const auto& [name, unit] : kSizeUnits) {
    if (bytes % unit == 0) return StrCat(bytes / unit, name);
  }
  return StrCat(bytes / kKiB, "KiB");
}

absl::StatusOr<int32_t> ParseCount(std::string_view text) {
  const auto [number, rest, ok] = TakeNumber(text);
  if (!ok || !rest.empty() || number > 999'999'999) {
    return absl::InvalidArgumentError(StrCat("'", text, "' is not a whole number"));
  }
  return static_cast<int32_t>(number);
}

std::string_view Nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  std::string_view best;
  // A third of the letters wrong is still a slip; more is another word.
  size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    // Edit distance, one row at a time.
    std::vector<size_t> row(candidate.size() + 1);
    for (size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (size_t i = 1; i <= word.size(); ++i) {
      size_t diagonal = row[0];
      row[0] = i;
      for (size_t j = 1; j < row.size(); ++j) {
        const size_t replaced = diagonal + (word[i - 1] == candidate[j - 1] ? 0 : 1);
        diagonal = row[j];
        row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

}  // namespace ballast::config
