#include "common/kernel/meminfo_parser.h"

#include <array>

#include "absl/status/status.h"
#include "common/base/text.h"
#include "common/kernel/number_field.h"

namespace ballast::kernel {
namespace {

using OptionalField = std::optional<int64_t> Meminfo::*;

struct NamedField {
  std::string_view name;
  OptionalField field;
};

constexpr std::array<NamedField, 16> kOptionalFields{{
    {"Cached", &Meminfo::cached_bytes},
    {"SwapTotal", &Meminfo::swap_total_bytes},
    {"SwapFree", &Meminfo::swap_free_bytes},
    {"Dirty", &Meminfo::dirty_bytes},
    {"AnonPages", &Meminfo::anon_bytes},
    {"Shmem", &Meminfo::shmem_bytes},
    {"SReclaimable", &Meminfo::slab_reclaimable_bytes},
    {"SUnreclaim", &Meminfo::slab_unreclaimable_bytes},
    {"CommitLimit", &Meminfo::commit_limit_bytes},
    {"Committed_AS", &Meminfo::committed_bytes},
    {"Active(file)", &Meminfo::active_file_bytes},
    {"Inactive(file)", &Meminfo::inactive_file_bytes},
    {"Mapped", &Meminfo::mapped_bytes},
    {"Writeback", &Meminfo::writeback_bytes},
    {"Zswap", &Meminfo::zswap_pool_bytes},
    {"Zswapped", &Meminfo::zswap_stored_bytes},
}};

absl::Status Wrong(std::string_view field, std::string_view what) {
  return absl::InvalidArgumentError(StrCat("meminfo: ", field, " ", what));
}

absl::Status Check(const Meminfo& info) {
  if (info.total_bytes == 0) return Wrong("MemTotal", "is zero");
  if (info.free_bytes > info.total_bytes) return Wrong("MemFree", "is larger than MemTotal");
  if (info.available_bytes > info.total_bytes) return Wrong("MemAvailable", "is larger than MemTotal");
  if (info.swap_free_bytes.value_or(0) > info.swap_total_bytes.value_or(kMaxNumber)) {
    return Wrong("SwapFree", "is larger than SwapTotal");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Meminfo> ParseMeminfo(std::string_view text) {
  Meminfo info;
  std::optional<int64_t> total;
  std::optional<int64_t> free;
  std::optional<int64_t> available;
  const auto slot = [&](std::string_view name) -> std::optional<int64_t>* {
    if (name == "MemTotal") return &total;
    if (name == "MemFree") return &free;
    if (name == "MemAvailable") return &available;
    for (const auto& known : kOptionalFields) {
      if (name == known.name) return &(info.*known.field);
    }
    return nullptr;
  };
  while (!text.empty()) {
    const std::string_view line = TakeLine(text);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, colon);
    std::optional<int64_t>* const value = slot(name);
    if (value == nullptr) continue;
    *value = ParseKib(line.substr(colon + 1));
    if (!*value) return Wrong(name, "is not a number of kB below 2^62 bytes");
  }
  if (!total) return Wrong("MemTotal", "is missing");
  if (!free) return Wrong("MemFree", "is missing");
  if (!available) return Wrong("MemAvailable", "is missing");
  info.total_bytes = *total;
  info.free_bytes = *free;
  info.available_bytes = *available;
  if (auto status = Check(info); !status.ok()) return status;
  return info;
}

}  // namespace ballast::kernel
