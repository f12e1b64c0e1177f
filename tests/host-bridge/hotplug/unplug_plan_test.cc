#include "host-bridge/hotplug/unplug_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <tuple>

#include "common/base/units.h"

namespace ballast::hotplug {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Modules m0, m1, ... from the lowest address up, all offlineable.
std::vector<Module> Of(const std::vector<int64_t>& sizes) {
  std::vector<Module> modules;
  for (const int64_t size : sizes) {
    const auto number = static_cast<int64_t>(modules.size());
    modules.push_back({"m" + std::to_string(number), size, true, number * kGiB});
  }
  return modules;
}

// What makes one subset better than another of the same sum: larger is better.
using Worth = std::tuple<int64_t, int64_t, std::vector<int64_t>>;

struct Subset {
  int64_t bytes = 0;
  Worth worth;
  Selection selection;
};

Subset SubsetOf(std::vector<Module> modules, uint32_t mask) {
  std::vector<Module> members;
  for (size_t i = 0; i < modules.size(); ++i) {
    if ((mask >> i & 1) != 0) members.push_back(modules[i]);
  }
  std::sort(members.begin(), members.end(),
            [](const auto& a, const auto& b) { return a.address > b.address; });
  Subset subset;
  std::vector<int64_t> addresses;
  for (const Module& module : members) {
    subset.bytes += module.size_bytes;
    subset.selection.offlineable_bytes += module.offlineable ? module.size_bytes : 0;
    subset.selection.ids.push_back(module.id);
    addresses.push_back(module.address);
  }
  subset.selection.bytes = subset.bytes;
  subset.worth = {subset.selection.offlineable_bytes, -static_cast<int64_t>(members.size()), addresses};
  return subset;
}

// By trying all subsets.
UnplugPlan TryAll(const std::vector<Module>& modules, int64_t wanted) {
  std::optional<Subset> below;
  std::optional<Subset> above;
  const auto prefer = [](std::optional<Subset>& kept, const Subset& subset, bool nearer) {
    if (!kept || nearer || (kept->bytes == subset.bytes && kept->worth < subset.worth)) kept = subset;
  };
  for (uint32_t mask = 0; mask < 1U << modules.size(); ++mask) {
    const Subset subset = SubsetOf(modules, mask);
    if (subset.bytes <= wanted) {
      prefer(below, subset, below && subset.bytes > below->bytes);
    } else {
      prefer(above, subset, above && subset.bytes < above->bytes);
    }
  }
  UnplugPlan plan{below->selection, std::nullopt};
  if (below->bytes != wanted && above) plan.above = above->selection;
  return plan;
}

// A field's own example: filling from the largest down frees 512 of the 768 MiB.
TEST(PlanUnplug, FindsTheExactSumThatGreedMisses) {
  const auto plan = PlanUnplug(Of({512 * kMiB, 384 * kMiB, 384 * kMiB}), 768 * kMiB);
  ASSERT_TRUE(plan.has_value());
  EXPECT_THAT(plan->chosen.ids, ElementsAre("m2", "m1"));
  EXPECT_EQ(plan->chosen.bytes, 768 * kMiB);
  EXPECT_EQ(plan->above, std::nullopt);
}

TEST(PlanUnplug, OffersTheNearestSizesWhereNoneIsExact) {
  const auto plan = PlanUnplug(Of({512 * kMiB, 384 * kMiB}), 640 * kMiB);
  ASSERT_TRUE(plan.has_value());
  EXPECT_THAT(plan->chosen.ids, ElementsAre("m0"));
  ASSERT_TRUE(plan->above.has_value());
  EXPECT_EQ(plan->above->bytes, 896 * kMiB);
}

TEST(PlanUnplug, WhatNoModuleIsSmallEnoughForIsOnlyOffered) {
  const auto plan = PlanUnplug(Of({256 * kMiB, 128 * kMiB}), 127 * kMiB);
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->chosen, Selection{});
  EXPECT_EQ(plan->above->bytes, 128 * kMiB);
}

TEST(PlanUnplug, MoreThanThereIsMeansAll) {
  const auto plan = PlanUnplug(Of({kGiB, kGiB}), INT64_MAX);
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->chosen.bytes, 2 * kGiB);
  EXPECT_EQ(plan->above, std::nullopt);
}

TEST(PlanUnplug, NothingWantedOrNothingThere) {
  EXPECT_EQ(PlanUnplug(Of({kGiB}), 0), UnplugPlan{});
  EXPECT_EQ(PlanUnplug({}, kGiB), UnplugPlan{});
}

TEST(PlanUnplug, PrefersWhatTheGuestCanOffline) {
  std::vector<Module> modules = Of({kGiB, kGiB, kGiB});
  modules[1].offlineable = modules[2].offlineable = false;
  const auto plan = PlanUnplug(modules, kGiB);
  EXPECT_THAT(plan->chosen.ids, ElementsAre("m0"));
  EXPECT_EQ(plan->chosen.offlineable_bytes, kGiB);
  // Even as several small ones.
  modules = Of({512 * kMiB, 512 * kMiB, kGiB});
  modules[2].offlineable = false;
  EXPECT_THAT(PlanUnplug(modules, kGiB)->chosen.ids, ElementsAre("m1", "m0"));
}

TEST(PlanUnplug, ThenFewerModulesThenHigherAddresses) {
  EXPECT_THAT(PlanUnplug(Of({kGiB, 512 * kMiB, 512 * kMiB}), kGiB)->chosen.ids, ElementsAre("m0"));
  EXPECT_THAT(PlanUnplug(Of({kGiB, kGiB, kGiB}), 2 * kGiB)->chosen.ids, ElementsAre("m2", "m1"));
  // 3 + 2 or 4 + 1: the set with the highest module.
  EXPECT_THAT(PlanUnplug(Of({4 * kGiB, 3 * kGiB, 2 * kGiB, kGiB}), 5 * kGiB)->chosen.ids,
              ElementsAre("m3", "m0"));
}

TEST(PlanUnplug, NonsenseHasNoPlan) {
  EXPECT_EQ(PlanUnplug(Of({kGiB}), -1), std::nullopt);
  EXPECT_EQ(PlanUnplug(Of({0}), kGiB), std::nullopt);
  EXPECT_EQ(PlanUnplug(Of({-kGiB}), kGiB), std::nullopt);
  EXPECT_EQ(PlanUnplug(Of(std::vector<int64_t>(257, kGiB)), kGiB), std::nullopt);
  EXPECT_EQ(PlanUnplug(Of({INT64_MAX}), kGiB), std::nullopt);
  EXPECT_EQ(PlanUnplug(Of({int64_t{1} << 61, int64_t{1} << 61, 1}), kGiB), std::nullopt) << "the sum";
  EXPECT_EQ(PlanUnplug(Of({kGiB, kGiB + 1}), kGiB), std::nullopt) << "too many units";
  std::vector<Module> twice = Of({kGiB, kGiB});
  twice[1].id = "m0";
  EXPECT_EQ(PlanUnplug(twice, kGiB), std::nullopt);
  twice = Of({kGiB, kGiB});
  twice[1].address = 0;
  EXPECT_EQ(PlanUnplug(twice, kGiB), std::nullopt);
}

TEST(PlanUnplug, TheOrderOfTheModulesDoesNotMatter) {
  std::mt19937 random(7);
  std::vector<Module> modules = Of({3, 5, 3, 2, 8, 5, 1, 1, 4, 2});
  for (size_t i = 0; i < modules.size(); i += 3) modules[i].offlineable = false;
  const auto plan = PlanUnplug(modules, 13);
  for (int round = 0; round < 50; ++round) {
    std::shuffle(modules.begin(), modules.end(), random);
    EXPECT_EQ(PlanUnplug(modules, 13), plan);
  }
}

// Every set of up to five modules of 1 to 4 units, offlineable or not, and every wanted sum.
TEST(PlanUnplug, IsAsGoodAsTryingAllSmallSets) {
  std::vector<Module> modules;
  const std::function<void()> grow = [&] {
    int64_t total = 0;
    for (const Module& module : modules) total += module.size_bytes;
    for (int64_t wanted = 0; wanted <= total + 1; ++wanted) {
      ASSERT_EQ(PlanUnplug(modules, wanted), TryAll(modules, wanted)) << modules.size() << " " << wanted;
    }
    if (modules.size() == 4) return;
    for (int64_t kind = 0; kind < 8; ++kind) {
      const auto number = static_cast<int64_t>(modules.size());
      modules.push_back({"m" + std::to_string(number), kind / 2 + 1, kind % 2 == 0, number});
      grow();
      modules.pop_back();
    }
  };
  grow();
}

TEST(PlanUnplug, IsAsGoodAsTryingAllRandomSets) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    std::vector<Module> modules;
    const size_t count = random() % 13 + (round % 50 == 0 ? 4 : 0);
    for (size_t i = 0; i < count; ++i) {
      const int64_t size = static_cast<int64_t>(random() % 9 + 1) * 128 * kMiB;
      modules.push_back({"m" + std::to_string(i), size, random() % 2 == 0, static_cast<int64_t>(random())});
    }
    const int64_t wanted = static_cast<int64_t>(random() % 60) * 64 * kMiB;
    ASSERT_EQ(PlanUnplug(modules, wanted), TryAll(modules, wanted)) << "round " << round;
  }
}

TEST(PlanUnplug, TheLargestMachineStillHasAPlan) {
  std::vector<int64_t> sizes;
  for (int i = 0; i < 256; ++i) sizes.push_back((i % 2 == 0 ? 255 : 257) * 128 * kMiB);
  const int64_t wanted = (20 * 255 + 11 * 257) * 128 * kMiB;  // of 65,536 units in all
  const auto plan = PlanUnplug(Of(sizes), wanted);
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->chosen.bytes, wanted);
  EXPECT_EQ(plan->chosen.ids.size(), 31u);
  EXPECT_THAT(PlanUnplug(Of(sizes), 0)->chosen.ids, IsEmpty());
}

}  // namespace
}  // namespace ballast::hotplug
