#include "tests/host-bridge/policy/property_text.h"

#include <array>
#include <charconv>
#include <map>
#include <utility>

#include "tests/host-bridge/policy/property_fields.h"

namespace ballast::policy {
namespace {

struct Suffix {
  std::string_view text;
  int64_t factor;
};
constexpr std::array<Suffix, 3> kSizes = {{{"GiB", kGiB}, {"MiB", kMiB}, {"KiB", kKiB}}};
constexpr std::array<Suffix, 2> kSpans = {{{"ms", 1'000'000}, {"s", 1'000'000'000}}};

std::string WithSuffix(int64_t value, const Suffix& suffix) {
  return std::to_string(value / suffix.factor) + std::string(suffix.text);
}

std::optional<int64_t> ParseNumber(std::string_view text) {
  int64_t factor = 1;
  const auto strip = [&](const auto& suffixes) {
    for (const Suffix& suffix : suffixes) {
      if (factor != 1 || !text.ends_with(suffix.text)) continue;
      text.remove_suffix(suffix.text.size());
      factor = suffix.factor;
    }
  };
  strip(kSizes);
  strip(kSpans);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (__builtin_mul_overflow(number, factor, &number)) return std::nullopt;
  return number;
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

using Lines = std::map<std::string, std::string, std::less<>>;

Broken Split(std::string_view text, Lines& lines) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = Trim(text.substr(0, std::min(end, text.find('#'))));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) return "no '=' in: " + std::string(line);
    const auto [at, fresh] =
        lines.emplace(std::string(Trim(line.substr(0, equals))), std::string(Trim(line.substr(equals + 1))));
    if (!fresh) return "twice: " + at->first;
  }
  return std::nullopt;
}

// More than any story has, and few enough to build.
constexpr int64_t kMostOfAnything = 1000;

// Sets the first field of `lines` that is not set yet; those that change the list first, since the others
// follow.
bool SetOne(Story& story, Lines& lines, Broken& broken) {
  for (Field& field : FieldsOf(story)) {
    const auto line = lines.find(field.key);
    if (line == lines.end()) continue;
    const std::optional<int64_t> number = ParseNumber(line->second);
    if (!number || (field.grows && (*number < 0 || *number > kMostOfAnything))) {
      broken = "no number: " + line->first + " = " + line->second;
      return false;
    }
    field.set(number);
    const bool list_changed = field.grows || field.presence || field.key.ends_with(".now");
    lines.erase(line);
    if (list_changed) return true;
  }
  return false;
}

void NameEverything(Story& story, Lines& lines) {
  for (const NameField& field : NamesOf(story)) {
    const auto line = lines.find(field.key);
    *field.name = line == lines.end() ? field.neutral : line->second;
    if (line != lines.end()) lines.erase(line);
  }
}

Broken CheckShape(const Story& story) {
  if (story.scenes.empty()) return "no scene";
  const size_t guests = story.scenes.front().snapshot.guests.size();
  for (const Scene& scene : story.scenes) {
    if (scene.snapshot.guests.size() != guests) return "scenes of different guests";
  }
  if (!story.natures.empty() && story.natures.size() != guests) return "not one nature a guest";
  if (story.ticks < 0 || story.ticks > 1'000'000) return "ticks out of range";
  return std::nullopt;
}

}  // namespace

std::string FormatValue(int64_t value, bool is_bytes, bool is_span) {
  if (value == 0) return "0";
  if (is_bytes && value % kMiB == 0) return WithSuffix(value, value % kGiB == 0 ? kSizes[0] : kSizes[1]);
  if (is_bytes && value % kKiB == 0) return WithSuffix(value, kSizes[2]);
  if (is_span && value % kSpans[1].factor == 0) return WithSuffix(value, kSpans[1]);
  if (is_span && value % kSpans[0].factor == 0) return WithSuffix(value, kSpans[0]);
  return std::to_string(value);
}

std::string FormatStory(Story story) {
  std::string text;
  for (const Field& field : FieldsOf(story)) {
    if (!field.value || field.value == field.neutral) continue;
    text += field.key + " = " +
            FormatValue(*field.value, field.unit == Unit::kBytes, field.unit == Unit::kSpan) + "\n";
  }
  for (const NameField& field : NamesOf(story)) {
    if (*field.name != field.neutral) text += field.key + " = " + *field.name + "\n";
  }
  return text;
}

Broken ParsePropertyFile(std::string_view text, PropertyFile& file) {
  Lines lines;
  if (Broken broken = Split(text, lines)) return broken;
  file = {};
  file.invariant = lines["invariant"];
  lines.erase("invariant");
  Broken broken;
  while (SetOne(file.story, lines, broken)) continue;
  if (broken) return broken;
  NameEverything(file.story, lines);
  if (!lines.empty()) return "unknown key: " + lines.begin()->first;
  return CheckShape(file.story);
}

}  // namespace ballast::policy
