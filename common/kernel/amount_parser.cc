#include "common/kernel/amount_parser.h"

#include "absl/status/status.h"
#include "common/base/text.h"
#include "common/kernel/number_field.h"

namespace ballast::kernel {

absl::StatusOr<int64_t> ParseAmount(std::string_view what, std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  const auto number = TakeNumber(text);
  if (!number || !text.empty()) {
    return absl::InvalidArgumentError(StrCat(what, ": is not one whole number up to 2^62"));
  }
  return *number;
}

absl::StatusOr<std::optional<int64_t>> ParseLimit(std::string_view what, std::string_view text) {
  if (text == "max\n" || text == "max") return std::optional<int64_t>();
  const auto number = ParseAmount(what, text);
  if (!number.ok()) return number.status();
  return std::optional<int64_t>(*number);
}

}  // namespace ballast::kernel
