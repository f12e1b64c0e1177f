// /proc/meminfo as one struct.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"

namespace ballast::kernel {

// Bytes. The first three are always there; a field this kernel does not print is absent, never zero.
struct Meminfo {
  int64_t total_bytes = 0;
  int64_t free_bytes = 0;       // <= total
  int64_t available_bytes = 0;  // <= total; 0 is possible while memory is short
  std::optional<int64_t> cached_bytes;
  std::optional<int64_t> anon_bytes;
  std::optional<int64_t> shmem_bytes;
  std::optional<int64_t> dirty_bytes;
  std::optional<int64_t> slab_reclaimable_bytes;
  std::optional<int64_t> slab_unreclaimable_bytes;
  std::optional<int64_t> swap_total_bytes;
  std::optional<int64_t> swap_free_bytes;
  std::optional<int64_t> commit_limit_bytes;
  std::optional<int64_t> committed_bytes;
  std::optional<int64_t> active_file_bytes;
  std::optional<int64_t> inactive_file_bytes;
  std::optional<int64_t> mapped_bytes;  // file and shared pages some process has mapped
  std::optional<int64_t> writeback_bytes;
  std::optional<int64_t> zswap_pool_bytes;    // RAM that the compressed cache of swap takes
  std::optional<int64_t> zswap_stored_bytes;  // what it holds, uncompressed

  friend bool operator==(const Meminfo&, const Meminfo&) = default;
};

// Unknown lines are passed over. Errors: InvalidArgument naming the field that is missing, not a number,
// out of range or larger than what holds it. Allocates nothing unless it fails.
[[nodiscard]] absl::StatusOr<Meminfo> ParseMeminfo(std::string_view text);

}  // namespace ballast::kernel
