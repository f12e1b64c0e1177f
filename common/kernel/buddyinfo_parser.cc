#include "common/kernel/buddyinfo_parser.h"

#include <optional>

#include "absl/status/status.h"
#include "common/base/text.h"
#include "common/kernel/number_field.h"

namespace ballast::kernel {
namespace {

constexpr int kMaxOrders = 64;

bool TakeWord(std::string_view& text, std::string_view word) {
  SkipSpaces(text);
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

// "Node 0, zone    DMA32" removed from the front.
bool TakeZone(std::string_view& line) {
  if (!TakeWord(line, "Node ") || !TakeNumber(line) || !TakeWord(line, ", zone")) return false;
  SkipSpaces(line);
  const size_t end = line.find(' ');
  if (end == 0 || end == std::string_view::npos) return false;
  line.remove_prefix(end);
  return true;
}

// Blocks of one zone; nothing where the line is not as it should be.
std::optional<int64_t> BlocksOf(std::string_view line, int order) {
  if (!TakeZone(line)) return std::nullopt;
  int64_t blocks = 0;
  int at = 0;
  for (SkipSpaces(line); !line.empty(); SkipSpaces(line), ++at) {
    const auto count = TakeNumber(line);
    if (!count || at >= kMaxOrders) return std::nullopt;
    if (at < order) continue;
    // Blocks of a higher order are that many more pages each.
    if (at - order > 20 || *count > (kMaxNumber >> (at - order)) - blocks) return std::nullopt;
    blocks += *count << (at - order);
  }
  return at == 0 ? std::nullopt : std::optional(blocks);
}

}  // namespace

absl::StatusOr<int64_t> ParseFreeBlocks(std::string_view text, int order) {
  int64_t blocks = 0;
  int number = 0;
  while (!text.empty()) {
    ++number;
    const auto zone = BlocksOf(TakeLine(text), order);
    if (!zone || *zone > kMaxNumber - blocks) {
      return absl::InvalidArgumentError(
          StrCat("buddyinfo: line ", number, " is not 'Node N, zone NAME' and a count for each order"));
    }
    blocks += *zone;
  }
  if (number == 0) return absl::InvalidArgumentError("buddyinfo: no zone in the text");
  return blocks;
}

}  // namespace ballast::kernel
