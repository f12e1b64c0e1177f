// Shared by the parsers of this folder: whole numbers with a bound, taken from the front of a text.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include "common/base/units.h"

namespace ballast::kernel {

// No size or counter of a real kernel comes near; sums and differences of such numbers cannot overflow.
inline constexpr int64_t kMaxNumber = int64_t{1} << 62;

// The number at the front of `text`, removed from it; nothing if there is none or it is above kMaxNumber.
inline std::optional<int64_t> TakeNumber(std::string_view& text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number < 0 || number > kMaxNumber) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

inline void SkipSpaces(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

// "   384848 kB" in bytes; nothing for any other text.
inline std::optional<int64_t> ParseKib(std::string_view text) {
  SkipSpaces(text);
  const auto kib = TakeNumber(text);
  if (!kib || *kib > kMaxNumber / kKiB || text != " kB") return std::nullopt;
  return *kib * kKiB;
}

// The first line without its end, removed from `text`.
inline std::string_view TakeLine(std::string_view& text) {
  const size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

}  // namespace ballast::kernel
