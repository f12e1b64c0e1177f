#include "common/kernel/swaps_parser.h"

#include <optional>

#include "absl/status/status.h"
#include "common/base/text.h"
#include "common/kernel/number_field.h"

namespace ballast::kernel {
namespace {

std::string_view TakeWord(std::string_view& text) {
  SkipSpaces(text);
  const size_t end = text.find_first_of(" \t");
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(word.size());
  return word;
}

// A whole word that is a number of KiB, in bytes.
std::optional<int64_t> TakeKib(std::string_view& line) {
  std::string_view word = TakeWord(line);
  const auto kib = TakeNumber(word);
  if (!kib || !word.empty() || *kib > kMaxNumber / kKiB) return std::nullopt;
  return *kib * kKiB;
}

absl::Status Wrong(int number, std::string_view field, std::string_view what) {
  return absl::InvalidArgumentError(StrCat("swaps: line ", number, ": ", field, " ", what));
}

absl::Status Add(int number, std::string_view field, int64_t bytes, int64_t& sum) {
  if (bytes > kMaxNumber - sum) return Wrong(number, field, "is above 2^62 bytes in sum");
  sum += bytes;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Swaps> ParseSwaps(std::string_view text) {
  if (!TakeLine(text).starts_with("Filename")) {
    return absl::InvalidArgumentError("swaps: line 1: the heading \"Filename ...\" is missing");
  }
  Swaps swaps;
  for (int number = 2; !text.empty(); ++number) {
    std::string_view line = TakeLine(text);
    const std::string_view path = TakeWord(line);  // blanks in it are written \040
    const std::string_view type = TakeWord(line);
    if (path.empty() || type.empty()) return Wrong(number, "Type", "is missing");
    const auto total = TakeKib(line);
    if (!total) return Wrong(number, "Size", "is not a number of KiB below 2^62 bytes");
    const auto used = TakeKib(line);
    if (!used) return Wrong(number, "Used", "is not a number of KiB below 2^62 bytes");
    if (*used > *total) return Wrong(number, "Used", "is larger than Size");
    const bool zram = path.substr(path.rfind('/') + 1).starts_with("zram") && type == "partition";
    auto status = Add(number, "Size", *total, zram ? swaps.zram_total_bytes : swaps.other_total_bytes);
    status.Update(Add(number, "Used", *used, zram ? swaps.zram_used_bytes : swaps.other_used_bytes));
    if (!status.ok()) return status;
  }
  return swaps;
}

}  // namespace ballast::kernel
