#include "common/kernel/process_memory_parser.h"

#include <optional>

#include "absl/status/status.h"
#include "common/base/text.h"
#include "common/kernel/number_field.h"

namespace ballast::kernel {

absl::StatusOr<ProcessMemory> ParseProcessMemory(std::string_view text) {
  std::optional<int64_t> anon;
  std::optional<int64_t> shared;
  std::optional<int64_t> huge;
  const auto slot = [&](std::string_view name) -> std::optional<int64_t>* {
    if (name == "RssAnon") return &anon;
    if (name == "RssShmem") return &shared;
    if (name == "HugetlbPages") return &huge;
    return nullptr;
  };
  while (!text.empty()) {
    const std::string_view line = TakeLine(text);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    std::optional<int64_t>* const value = slot(line.substr(0, colon));
    if (value == nullptr) continue;
    *value = ParseKib(line.substr(colon + 1));
    if (!*value) {
      return absl::InvalidArgumentError(
          StrCat("process status: ", line.substr(0, colon), " is not a number of kB below 2^62 bytes"));
    }
  }
  if (!anon || !shared) {
    return absl::InvalidArgumentError(
        StrCat("process status: ", anon ? "RssShmem" : "RssAnon", " is missing"));
  }
  return ProcessMemory{*anon, *shared, huge.value_or(0)};
}

}  // namespace ballast::kernel
