#include "host-bridge/lab/scenario/scenario.h"

#include <cmath>
#include <utility>

#include "common/base/text.h"

namespace ballast::sim {
namespace {

// Draws for a group as a whole come from here, beside those of its guests.
constexpr uint64_t kGroupStream = ~uint64_t{0};

// Seats for a parliament: the next guest belongs to the group that is furthest behind its share (Webster's
// method, ties to the first). Whole proportions come out exactly, and a larger world contains the smaller
// one.
std::vector<int> CountsFor(const std::vector<GuestGroup>& groups, int guests) {
  std::vector<int> counts(groups.size(), 0);
  for (int guest = 0; guest < guests; ++guest) {
    size_t next = 0;
    for (size_t g = 1; g < groups.size(); ++g) {
      const int64_t claim = int64_t{groups[g].count} * (2 * counts[next] + 1);
      if (claim > int64_t{groups[next].count} * (2 * counts[g] + 1)) next = g;
    }
    ++counts[next];
  }
  return counts;
}

// Multiples of the golden ratio fill the range evenly for any number of guests; the seed moves them all.
Nanos StartOf(const GuestGroup& group, uint64_t seed, int index) {
  constexpr double kGolden = 0.6180339887498949;
  const double offset = Random::For(seed, group.name, kGroupStream).Uniform();
  const double place = std::fmod(offset + index * kGolden, 1.0);
  const auto width = static_cast<double>((group.starts.most - group.starts.least).count);
  return group.starts.least + Nanos{static_cast<int64_t>(place * width)};
}

GuestPlan PlanGuest(const GuestGroup& group, uint64_t seed, int index) {
  GuestPlan guest;
  guest.limits = group.limits;
  guest.limits.name = StrCat(group.name, "-", index + 1);
  guest.boot_bytes = group.boot_bytes;
  guest.zram_bytes = group.zram_bytes;
  guest.swaps_early_permyriad = group.swaps_early_permyriad;
  guest.device = group.device;
  guest.workload = [make = group.workload, boot_bytes = group.boot_bytes,
                    random = Random::For(seed, group.name, static_cast<uint64_t>(index))] {
    return make(boot_bytes, random);
  };
  guest.starts_at = StartOf(group, seed, index);
  for (const auto& [wanted, event] : group.events) {
    if (wanted == 0 || wanted == index + 1) guest.events.push_back(event);
  }
  return guest;
}

}  // namespace

int Scenario::guests() const {
  int sum = 0;
  for (const GuestGroup& group : spec_.groups) sum += group.count;
  return sum;
}

WorldPlan Scenario::Plan(uint64_t seed, int wanted) const {
  WorldPlan plan;
  plan.scenario = spec_.name;
  plan.seed = seed;
  plan.length = spec_.length;
  plan.host = spec_.host;
  plan.policy = spec_.policy;
  const std::vector<int> counts = CountsFor(spec_.groups, wanted > 0 ? wanted : guests());
  for (size_t g = 0; g < counts.size(); ++g) {
    for (int index = 0; index < counts[g]; ++index) {
      plan.guests.push_back(PlanGuest(spec_.groups[g], seed, index));
    }
  }
  return plan;
}

}  // namespace ballast::sim
