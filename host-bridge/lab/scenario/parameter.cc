#include "host-bridge/lab/scenario/parameter.h"

#include <array>
#include <charconv>
#include <utility>

#include "common/base/size_text.h"
#include "common/base/units.h"
#include "host-bridge/config/value_text.h"

namespace ballast::sim {
namespace {

constexpr int64_t kMostBytes = int64_t{1} << 40;
constexpr Nanos kMostTime = Seconds(int64_t{400} * 24 * 3600);

// Adds the bounds to a text that has none.
template <typename T>
TextForm<T> Bounded(TextForm<T> text, T least, T most) {
  auto parse = std::move(text.parse);
  const auto format = text.format;
  text.parse = [parse = std::move(parse), format, least, most](std::string_view value) -> absl::StatusOr<T> {
    auto parsed = parse(value);
    if (!parsed.ok() || (*parsed >= least && *parsed <= most)) return parsed;
    return absl::InvalidArgumentError(
        StrCat("'", value, "' is out of range; write ", format(least), " to ", format(most)));
  };
  return text;
}

absl::StatusOr<int64_t> ParseSpeed(std::string_view text) {
  if (text == "0") return int64_t{0};
  if (!text.ends_with("/s")) {
    return absl::InvalidArgumentError(StrCat("'", text, "' has no '/s'; write for example '15MiB/s'"));
  }
  return ParseSize(text.substr(0, text.size() - 2));
}

absl::StatusOr<double> ParseNumber(std::string_view text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (error == std::errc{} && rest == end) return number;
  return absl::InvalidArgumentError(StrCat("'", text, "' is not a number; write for example '1.5'"));
}

std::string FormatNumber(double number) {
  std::array<char, 32> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
  return error == std::errc{} ? std::string(buffer.data(), end) : "?";
}

}  // namespace

TextForm<int64_t> SizeText(int64_t least, int64_t most) {
  return Bounded<int64_t>({.parse = [](std::string_view text) { return ParseSize(text); },
                           .format = [](const int64_t& bytes) { return config::FormatExactSize(bytes); }},
                          least, most);
}

TextForm<int64_t> SpeedText(int64_t least, int64_t most) {
  return Bounded<int64_t>(
      {.parse = ParseSpeed,
       .format =
           [](const int64_t& bytes) { return bytes == 0 ? "0" : config::FormatExactSize(bytes) + "/s"; }},
      least, most);
}

TextForm<Nanos> TimeText(Nanos least, Nanos most) {
  return Bounded<Nanos>({.parse = [](std::string_view text) { return config::ParseDuration(text); },
                         .format = [](const Nanos& time) { return config::FormatDuration(time); }},
                        least, most);
}

TextForm<int32_t> ShareText(int32_t least, int32_t most) {
  return Bounded<int32_t>({.parse = [](std::string_view text) { return config::ParsePercent(text); },
                           .format = [](const int32_t& share) { return config::FormatPercent(share); }},
                          least, most);
}

TextForm<double> NumberText(double least, double most) {
  return Bounded<double>({.parse = ParseNumber, .format = FormatNumber}, least, most);
}

TextForm<int32_t> CountText(int32_t least, int32_t most) {
  return Bounded<int32_t>({.parse = [](std::string_view text) { return config::ParseCount(text); },
                           .format = [](const int32_t& count) { return StrCat(count); }},
                          least, most);
}

TextForm<bool> YesNoText() {
  static constexpr config::Words<bool, 2> kWords{{{"yes", true}, {"no", false}}};
  return {.parse = [](std::string_view text) { return config::ParseWord(text, kWords); },
          .format = [](const bool& value) { return config::FormatWord(value, kWords); }};
}

TextForm<int64_t> AnySize() { return SizeText(0, kMostBytes); }
TextForm<int64_t> AnySpeed() { return SpeedText(0, kMostBytes); }
TextForm<Nanos> AnyTime() { return TimeText({0}, kMostTime); }
TextForm<Nanos> SomeTime() { return TimeText(Milliseconds(1), kMostTime); }
TextForm<int32_t> AnyShare() { return ShareText(0, 10'000); }

}  // namespace ballast::sim
