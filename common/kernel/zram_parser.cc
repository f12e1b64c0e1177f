#include "common/kernel/zram_parser.h"

#include <array>
#include <span>

#include "absl/status/status.h"
#include "common/base/text.h"
#include "common/kernel/number_field.h"

namespace ballast::kernel {
namespace {

constexpr int64_t kBackingUnit = 4 * kKiB;  // whatever the page size

struct Column {
  std::string_view name;
  int64_t* out = nullptr;  // null: not of interest
};

// Whole numbers with blanks between them; the first `required` have to be there.
absl::Status ReadColumns(std::string_view file, std::string_view text, size_t required,
                         std::span<const Column> columns) {
  text = TakeLine(text);
  for (size_t i = 0; i < columns.size(); ++i) {
    SkipSpaces(text);
    if (text.empty() && i >= required) return absl::OkStatus();
    const auto number = TakeNumber(text);
    if (!number || (!text.empty() && text.front() != ' ')) {
      return absl::InvalidArgumentError(
          StrCat(file, ": column ", i + 1, " (", columns[i].name, ") is not a whole number up to 2^62"));
    }
    if (columns[i].out != nullptr) *columns[i].out = *number;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ZramMemory> ParseZramMemory(std::string_view mm_stat) {
  ZramMemory memory;
  const std::array<Column, 8> columns{{{"orig_data_size", &memory.original_bytes},
                                       {"compr_data_size", &memory.compressed_bytes},
                                       {"mem_used_total", &memory.memory_used_bytes},
                                       {"mem_limit", &memory.memory_limit_bytes},
                                       {"mem_used_max"},
                                       {"same_pages", &memory.same_pages},
                                       {"pages_compacted"},
                                       {"huge_pages", &memory.incompressible_pages}}};
  constexpr size_t kOldest = 7;
  if (auto status = ReadColumns("mm_stat", mm_stat, kOldest, columns); !status.ok()) return status;
  return memory;
}

absl::StatusOr<ZramIo> ParseZramIo(std::string_view io_stat) {
  ZramIo io;
  const std::array<Column, 2> columns{
      {{"failed_reads", &io.failed_reads}, {"failed_writes", &io.failed_writes}}};
  if (auto status = ReadColumns("io_stat", io_stat, columns.size(), columns); !status.ok()) return status;
  return io;
}

absl::StatusOr<int64_t> ParseZramWrittenBack(std::string_view bd_stat) {
  int64_t units = 0;
  const std::array<Column, 1> columns{{{"bd_count", &units}}};
  if (auto status = ReadColumns("bd_stat", bd_stat, columns.size(), columns); !status.ok()) return status;
  if (units > kMaxNumber / kBackingUnit)
    return absl::InvalidArgumentError("bd_stat: bd_count is above 2^62 bytes");
  return units * kBackingUnit;
}

absl::StatusOr<std::string_view> ParseZramAlgorithm(std::string_view text) {
  text = TakeLine(text);
  const size_t open = text.find('[');
  const size_t close = text.find(']', open == std::string_view::npos ? 0 : open);
  if (open == std::string_view::npos || close == std::string_view::npos || close == open + 1) {
    return absl::InvalidArgumentError("comp_algorithm: no name stands in brackets");
  }
  return text.substr(open + 1, close - open - 1);
}

}  // namespace ballast::kernel
