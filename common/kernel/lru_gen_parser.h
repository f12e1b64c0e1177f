// /sys/kernel/debug/lru_gen: the pages of each cgroup and NUMA node by generation, oldest first.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/base/time.h"

namespace ballast::kernel {

// What a generation's place in time proves. Whoever walks the page tables moves what was used since the last
// walk into the youngest generation and opens a new one. So a page of any older generation was not used
// between the birth of the generation after its own and the last walk, which is the birth of the youngest.
struct ColdRule {
  Nanos unused;     // proven at least so long: cold
  Nanos last_walk;  // longer ago: proves nothing about now
};

struct LruGenerations {
  int64_t pages = 0;         // in all generations
  int64_t judged_pages = 0;  // of cgroups and nodes whose walks tell cold pages from warm ones
  int64_t cold_anon_pages = 0;
  int64_t cold_file_pages = 0;

  friend bool operator==(const LruGenerations&, const LruGenerations&) = default;
};

// Errors: InvalidArgument naming line and column that is missing, not a number or above 2^46. Allocates
// nothing unless it fails.
[[nodiscard]] absl::StatusOr<LruGenerations> ParseLruGen(std::string_view text, const ColdRule& rule);

}  // namespace ballast::kernel
