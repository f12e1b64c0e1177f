// What only a change of a zram device has to know of the texts below /sys/block/zramN and of /proc/swaps.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "guest-agent/act/zram_profile_plan.h"

namespace ballast::agent {

// comp_algorithm, "lzo [lz4] zstd": the one in brackets and all of them.
struct AlgorithmChoice {
  std::string in_use;  // empty: none is in brackets
  std::vector<std::string> offered;

  friend bool operator==(const AlgorithmChoice&, const AlgorithmChoice&) = default;
};
[[nodiscard]] AlgorithmChoice ParseAlgorithms(std::string_view text);

// recomp_algorithm, "#1: lzo [zstd]" lines: what to write there to have the same again.
[[nodiscard]] std::vector<std::string> ParseRecompressors(std::string_view text);

// The line of `device` in /proc/swaps; nothing when it is not swapped on, or its numbers are none.
[[nodiscard]] std::optional<SwapUse> FindSwap(std::string_view swaps, std::string_view device);

}  // namespace ballast::agent
