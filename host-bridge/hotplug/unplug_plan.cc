#include "host-bridge/hotplug/unplug_plan.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>
#include <utility>

namespace ballast::hotplug {
namespace {

constexpr int64_t kMaxBytes = int64_t{1} << 62;
// The worth of a subset in one number: offlineable units, then fewer modules. 512 is above kMaxModules, and
// 512 × kMaxUnits fits.
constexpr int32_t kWorthOfUnit = 512;
constexpr int32_t kUnreachable = std::numeric_limits<int32_t>::min() / 2;

bool IsSane(const std::vector<Module>& modules, int64_t wanted_bytes) {
  if (modules.size() > kMaxModules || wanted_bytes < 0) return false;
  int64_t sum = 0;
  std::set<std::string> ids;
  std::set<int64_t> addresses;
  for (const Module& module : modules) {
    if (module.size_bytes <= 0 || module.size_bytes > kMaxBytes - sum) return false;
    sum += module.size_bytes;
    if (!ids.insert(module.id).second || !addresses.insert(module.address).second) return false;
  }
  return true;
}

// Subset sums with the best subset of each. Modules are added from the lowest address up, and one that ties
// is taken; so going back from the highest, the first subset that is found is the one with the higher
// addresses.
class SubsetSums {
 public:
  // `modules` by falling address; sums from 0 to `most` units.
  SubsetSums(const std::vector<Module>& modules, int64_t unit_bytes, int64_t most)
      : modules_(modules),
        unit_(unit_bytes),
        best_(static_cast<size_t>(most) + 1, kUnreachable),
        taken_(modules.size(), std::vector<bool>(best_.size())) {
    best_[0] = 0;
    int64_t reached = 0;
    for (size_t i = modules_.size(); i-- > 0;) {
      reached = std::min(reached + Units(i), most);
      Add(i, static_cast<size_t>(reached));
    }
  }

  [[nodiscard]] bool Reaches(int64_t sum) const { return best_[static_cast<size_t>(sum)] > kUnreachable / 2; }

  [[nodiscard]] Selection Best(int64_t sum) const {
    Selection selection;
    for (size_t i = 0; i < modules_.size(); ++i) {
      if (!taken_[i][static_cast<size_t>(sum)]) continue;
      const Module& module = modules_[i];
      selection.ids.push_back(module.id);
      selection.bytes += module.size_bytes;
      if (module.offlineable) selection.offlineable_bytes += module.size_bytes;
      sum -= Units(i);
    }
    return selection;
  }

 private:
  [[nodiscard]] int64_t Units(size_t i) const { return modules_[i].size_bytes / unit_; }

  // From the largest sum down, so that a module is not counted twice.
  void Add(size_t i, size_t most) {
    const auto size = static_cast<size_t>(Units(i));
    const int32_t worth = (modules_[i].offlineable ? static_cast<int32_t>(size) * kWorthOfUnit : 0) - 1;
    for (size_t sum = most; sum >= size; --sum) {
      const int32_t with = best_[sum - size] + worth;
      if (best_[sum - size] <= kUnreachable / 2 || with < best_[sum]) continue;
      best_[sum] = with;
      taken_[i][sum] = true;
    }
  }

  const std::vector<Module>& modules_;
  const int64_t unit_;
  std::vector<int32_t> best_;             // of each sum, by the modules added so far
  std::vector<std::vector<bool>> taken_;  // whether the best of module i and those below it has module i
};

}  // namespace

std::optional<UnplugPlan> PlanUnplug(const std::vector<Module>& modules, int64_t wanted_bytes) {
  if (!IsSane(modules, wanted_bytes)) return std::nullopt;
  std::vector<Module> sorted = modules;
  std::sort(sorted.begin(), sorted.end(),
            [](const Module& a, const Module& b) { return a.address > b.address; });
  int64_t unit = 0;
  int64_t total = 0;
  int64_t largest = 0;
  for (const Module& module : sorted) {
    unit = std::gcd(unit, module.size_bytes);
    total += module.size_bytes;
    largest = std::max(largest, module.size_bytes);
  }
  if (sorted.empty()) return UnplugPlan{};
  if (total / unit > kMaxUnits) return std::nullopt;

  const int64_t wanted = std::min(wanted_bytes, total) / unit;
  // Leaving the smallest module out of a subset above `wanted` would end it, so the smallest such sum is less
  // than one module away.
  const int64_t most = std::min(total / unit, wanted + largest / unit);
  const SubsetSums sums(sorted, unit, most);
  int64_t below = wanted;
  while (!sums.Reaches(below)) --below;
  UnplugPlan plan{sums.Best(below), std::nullopt};
  if (plan.chosen.bytes >= wanted_bytes) return plan;
  for (int64_t above = wanted + 1; above <= most; ++above) {
    if (!sums.Reaches(above)) continue;
    plan.above = sums.Best(above);
    break;
  }
  return plan;
}

}  // namespace ballast::hotplug
