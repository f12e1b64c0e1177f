// Which DIMMs leave when memory is to be unplugged: a DIMM goes as a whole or not at all, so a wanted amount
// is a subset of sizes. Exact, not greedy: of 512, 384 and 384 MiB the two small ones make 768, which filling
// from the largest down never finds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ballast::hotplug {

struct Module {
  std::string id;  // unique among those of one plan
  int64_t size_bytes = 0;
  bool offlineable = false;  // the guest can offline all of its blocks
  int64_t address = 0;       // guest-physical

  friend bool operator==(const Module&, const Module&) = default;
};

// A subset, and its sum.
struct Selection {
  std::vector<std::string> ids;  // from the highest address down: the order in which they are best asked
  int64_t bytes = 0;
  int64_t offlineable_bytes = 0;  // in modules that the guest can offline

  friend bool operator==(const Selection&, const Selection&) = default;
};

// Among subsets of one sum: most offlineable bytes first, then fewer modules, then higher addresses (the set
// with the highest module that the other lacks). The order in which modules are given does not matter.
struct UnplugPlan {
  Selection chosen;  // the largest sum up to what is wanted; nothing when no module is small enough
  // The smallest sum above what is wanted, where chosen misses it and there is one: more than was asked for,
  // so it is only offered.
  std::optional<Selection> above;

  friend bool operator==(const UnplugPlan&, const UnplugPlan&) = default;
};

inline constexpr size_t kMaxModules = 256;  // QEMU's largest number of slots
// Sums are counted in the modules' greatest common divisor. More units than this in all modules together
// would take a plan out of its milliseconds: 8 TiB of DIMMs of 128 MiB each, and far more of larger ones.
inline constexpr int64_t kMaxUnits = int64_t{1} << 16;

// O(modules × units) time; memory is a bit and three numbers for each of them. Absent when the input makes no
// sense: more than kMaxModules modules, more than kMaxUnits units, a size that is not above 0, sums beyond
// 2^62, ids or addresses that repeat, or a negative wanted_bytes.
[[nodiscard]] std::optional<UnplugPlan> PlanUnplug(const std::vector<Module>& modules, int64_t wanted_bytes);

}  // namespace ballast::hotplug
