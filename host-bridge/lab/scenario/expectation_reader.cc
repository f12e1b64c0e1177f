#include "host-bridge/lab/scenario/expectation_reader.h"

#include "common/base/size_text.h"
#include "host-bridge/lab/scenario/measure_list.h"
#include "host-bridge/lab/scenario/parameter.h"

namespace ballast::sim {
namespace {

// INI splits at the first '=': of "a <= 0" it leaves the key "a <".
struct Left {
  std::string_view measure;
  std::string_view sign;  // "<", ">" or nothing
};

Left SplitLeft(std::string_view key) {
  const bool has_sign = key.ends_with('<') || key.ends_with('>');
  Left left{key, has_sign ? key.substr(key.size() - 1) : std::string_view()};
  if (has_sign) left.measure.remove_suffix(1);
  while (left.measure.ends_with(' ') || left.measure.ends_with('\t')) left.measure.remove_suffix(1);
  return left;
}

bool IsKnown(std::string_view measure) {
  return std::find(kMeasures.begin(), kMeasures.end(), measure) != kMeasures.end();
}

// Sizes are for measures that count bytes.
absl::StatusOr<double> ParseLimit(std::string_view measure, std::string_view text) {
  static const auto& numbers = *new TextForm<double>(NumberText(0, 1e18));
  const auto number = numbers.parse(text);
  if (number.ok()) return *number;
  if (measure.find("bytes") == std::string_view::npos) {
    return absl::InvalidArgumentError(StrCat("'", text, "' is no number; write for example '0' or '1.25'"));
  }
  if (const auto size = ParseSize(text); size.ok()) return static_cast<double>(*size);
  return absl::InvalidArgumentError(
      StrCat("'", text, "' is neither a number nor a size; write for example '0' or '4GiB'"));
}

}  // namespace

std::vector<Expectation> ReadExpectations(const config::IniSection& section, Faults& faults) {
  std::vector<Expectation> expectations;
  Settings settings;
  for (const config::IniLine& line : section.lines) {
    const Left left = SplitLeft(line.key);
    if (!Note(section, line, settings, faults)) continue;
    if (!IsKnown(left.measure)) {
      faults.At(section, line,
                StrCat("unknown measure; ", Suggestion(left.measure, {kMeasures.begin(), kMeasures.end()})));
      continue;
    }
    if (left.sign.empty()) {
      faults.At(section, line,
                StrCat("has no direction; write ", left.measure, " <= ", line.value, " or >="));
      continue;
    }
    const auto limit = ParseLimit(left.measure, line.value);
    if (!limit.ok()) {
      faults.At(section, line, MessageOf(limit.status()));
      continue;
    }
    expectations.push_back(
        {std::string(left.measure),
         left.sign == "<" ? Expectation::Relation::kAtMost : Expectation::Relation::kAtLeast, *limit});
  }
  return expectations;
}

}  // namespace ballast::sim
