#include "guest-agent/act/zram_state_parser.h"

#include <charconv>

#include "common/base/text.h"
#include "common/kernel/number_field.h"

namespace ballast::agent {
namespace {

using kernel::SkipSpaces;
using kernel::TakeLine;
using kernel::TakeNumber;

std::string_view TakeWord(std::string_view& text) {
  SkipSpaces(text);
  const size_t end = text.find_first_of(" \t\n");
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end);
  return word;
}

}  // namespace

AlgorithmChoice ParseAlgorithms(std::string_view text) {
  AlgorithmChoice choice;
  std::string_view line = TakeLine(text);
  for (std::string_view word = TakeWord(line); !word.empty(); word = TakeWord(line)) {
    const bool in_use = word.starts_with('[') && word.ends_with(']') && word.size() > 2;
    if (in_use) word = word.substr(1, word.size() - 2);
    if (in_use) choice.in_use = word;
    choice.offered.emplace_back(word);
  }
  return choice;
}

std::vector<std::string> ParseRecompressors(std::string_view text) {
  std::vector<std::string> settings;
  while (!text.empty()) {
    std::string_view line = TakeLine(text);
    if (!line.starts_with('#')) continue;
    line.remove_prefix(1);
    const auto priority = TakeNumber(line);
    if (!priority || !line.starts_with(':')) continue;
    line.remove_prefix(1);
    const std::string algorithm = ParseAlgorithms(line).in_use;
    if (!algorithm.empty()) settings.push_back(StrCat("algo=", algorithm, " priority=", *priority));
  }
  return settings;
}

std::optional<SwapUse> FindSwap(std::string_view swaps, std::string_view device) {
  while (!swaps.empty()) {
    std::string_view line = TakeLine(swaps);
    if (TakeWord(line) != device) continue;
    (void)TakeWord(line);  // the type
    (void)TakeWord(line);  // the size
    std::string_view used = TakeWord(line);
    const std::string_view priority = TakeWord(line);
    SwapUse use;
    const auto kib = TakeNumber(used);
    const auto [end, error] =
        std::from_chars(priority.data(), priority.data() + priority.size(), use.priority);
    if (!kib || *kib > kernel::kMaxNumber / kKiB || error != std::errc{}) return std::nullopt;
    use.used_bytes = *kib * kKiB;
    return use;
  }
  return std::nullopt;
}

}  // namespace ballast::agent
