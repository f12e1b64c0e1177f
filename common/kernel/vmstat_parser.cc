#include "common/kernel/vmstat_parser.h"

#include <array>

#include "absl/status/status.h"
#include "common/base/text.h"
#include "common/kernel/number_field.h"

namespace ballast::kernel {
namespace {

struct NamedField {
  std::string_view name;
  std::optional<int64_t> Vmstat::*field;
};

constexpr std::array<NamedField, 12> kFields{{
    {"oom_kill", &Vmstat::oom_kills},
    {"balloon_inflate", &Vmstat::balloon_inflate_pages},
    {"balloon_deflate", &Vmstat::balloon_deflate_pages},
    {"pswpin", &Vmstat::swap_in_pages},
    {"pswpout", &Vmstat::swap_out_pages},
    {"pgmajfault", &Vmstat::major_faults},
    {"workingset_refault_anon", &Vmstat::refault_anon_pages},
    {"workingset_refault_file", &Vmstat::refault_file_pages},
    {"pgscan_kswapd", &Vmstat::scan_kswapd_pages},
    {"pgscan_direct", &Vmstat::scan_direct_pages},
    {"pgsteal_kswapd", &Vmstat::steal_kswapd_pages},
    {"pgsteal_direct", &Vmstat::steal_direct_pages},
}};

// One per zone: allocstall_dma32, allocstall_normal, ...
constexpr std::string_view kAllocStallPrefix = "allocstall";

// Most of the ~180 lines start with a letter none of ours does; this keeps a read cheap.
bool MayBeOurs(char first) {
  constexpr std::string_view kFirst = "aobpw";
  return kFirst.find(first) != std::string_view::npos;
}

std::optional<int64_t> Vmstat::*FieldOf(std::string_view name) {
  for (const auto& known : kFields) {
    if (name == known.name) return known.field;
  }
  return nullptr;
}

absl::Status Wrong(std::string_view field) {
  return absl::InvalidArgumentError(StrCat("vmstat: ", field, " is not a whole number up to 2^62"));
}

}  // namespace

absl::StatusOr<Vmstat> ParseVmstat(std::string_view text) {
  Vmstat stat;
  bool any = false;
  while (!text.empty()) {
    const std::string_view line = TakeLine(text);
    const size_t space = line.find(' ');
    if (space == std::string_view::npos || space == 0) continue;
    any = true;
    if (!MayBeOurs(line.front())) continue;
    const std::string_view name = line.substr(0, space);
    const bool stall = name.starts_with(kAllocStallPrefix);
    const auto field = stall ? &Vmstat::alloc_stalls : FieldOf(name);
    if (field == nullptr) continue;
    std::string_view digits = line.substr(space + 1);
    const auto number = TakeNumber(digits);
    if (!number || !digits.empty()) return Wrong(name);
    const int64_t before = stall ? stat.alloc_stalls.value_or(0) : 0;
    if (*number > kMaxNumber - before) return Wrong(name);
    stat.*field = before + *number;
  }
  if (!any) return absl::InvalidArgumentError("vmstat: no counter in the text");
  return stat;
}

}  // namespace ballast::kernel
