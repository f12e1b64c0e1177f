#include "guest-agent/act/act_text_parser.h"

#include <array>

#include "common/base/text.h"
#include "common/kernel/number_field.h"

namespace ballast::agent {
namespace {

using kernel::TakeLine;
using kernel::TakeNumber;

// "name 12" lines.
std::optional<int64_t> Counter(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    std::string_view line = TakeLine(text);
    if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ' ') continue;
    line.remove_prefix(name.size() + 1);
    return TakeNumber(line);
  }
  return std::nullopt;
}

// "Name:   12 kB" lines.
std::optional<int64_t> Size(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    std::string_view line = TakeLine(text);
    if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ':') continue;
    return kernel::ParseKib(line.substr(name.size() + 1));
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<int64_t> ParseStolenPages(std::string_view text) {
  const auto anon = Counter(text, "pgsteal_anon");
  const auto file = Counter(text, "pgsteal_file");
  if (anon && file) return *anon + *file;
  if (const auto sum = Counter(text, "pgsteal")) return *sum;
  constexpr std::array<std::string_view, 4> kReclaimers{"pgsteal_kswapd", "pgsteal_direct",
                                                        "pgsteal_khugepaged", "pgsteal_proactive"};
  int64_t sum = 0;
  bool any = false;
  for (const std::string_view name : kReclaimers) {
    const auto pages = Counter(text, name);
    any = any || pages.has_value();
    sum += pages.value_or(0);
  }
  if (!any) return absl::InvalidArgumentError("no counter of reclaimed pages (pgsteal...) in the text");
  return sum;
}

absl::StatusOr<CacheUse> ParseCacheUse(std::string_view meminfo) {
  CacheUse use;
  const auto read = [meminfo](std::string_view name, int64_t& bytes) {
    const auto size = Size(meminfo, name);
    bytes = size.value_or(0);
    return size ? absl::OkStatus() : absl::InvalidArgumentError(StrCat("meminfo: ", name, " is missing"));
  };
  int64_t buffers = 0;
  auto status = read("Active(file)", use.active_bytes);
  status.Update(read("Inactive(file)", use.inactive_bytes));
  status.Update(read("Cached", use.cached_bytes));
  status.Update(read("Buffers", buffers));
  if (!status.ok()) return status;
  use.cached_bytes += buffers;
  return use;
}

}  // namespace ballast::agent
