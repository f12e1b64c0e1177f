// The values of the configuration as people write them, both ways. Pure; every Format is read back exactly by
// its Parse. Errors say what was found and what would be right.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/text.h"
#include "common/base/time.h"

namespace ballast::config {

// "100ms", "2s", "30min", "1h": a whole number and a unit (us, ms, s, min, h), or a bare 0. At most 2^62 ns.
[[nodiscard]] absl::StatusOr<Nanos> ParseDuration(std::string_view text);
[[nodiscard]] std::string FormatDuration(Nanos duration);

// "10%", "2.5%", "0.01%": 0..100 with at most two decimals, as permyriad.
[[nodiscard]] absl::StatusOr<int32_t> ParsePercent(std::string_view text);
[[nodiscard]] std::string FormatPercent(int32_t permyriad);

// Bytes in the largest binary unit that is exact ("1536MiB", where FormatSize says "1.5GiB"). Multiples of 1
// KiB.
[[nodiscard]] std::string FormatExactSize(int64_t bytes);

// A whole number of at most nine digits.
[[nodiscard]] absl::StatusOr<int32_t> ParseCount(std::string_view text);

// A word of a closed set, such as "off", "guard"; the error lists the set.
template <typename T, size_t kSize>
using Words = std::array<std::pair<std::string_view, T>, kSize>;

template <typename T, size_t kSize>
[[nodiscard]] absl::StatusOr<T> ParseWord(std::string_view text, const Words<T, kSize>& words) {
  std::string choices;
  for (const auto& [word, value] : words) {
    if (word == text) return value;
    choices += StrCat(choices.empty() ? "" : ", ", word);
  }
  return absl::InvalidArgumentError(StrCat("'", text, "' is not known; write one of ", choices));
}

template <typename T, size_t kSize>
[[nodiscard]] std::string FormatWord(T value, const Words<T, kSize>& words) {
  for (const auto& [word, candidate] : words) {
    if (candidate == value) return std::string(word);
  }
  return "?";
}

// The candidate nearest to `word` by edit distance, or "" when none is near enough to be a slip of the pen.
[[nodiscard]] std::string_view Nearest(std::string_view word,
                                       const std::vector<std::string_view>& candidates);

}  // namespace ballast::config
