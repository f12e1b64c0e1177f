#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "common/base/text.h"
#include "host-bridge/lab/scenario/scenario.h"
#include "tests/host-bridge/lab/scenario/reading.h"

namespace ballast::sim {
namespace {

constexpr std::string_view kMixed = R"(
[scenario]
title = Three groups
length = 10h
[host]
total = 64GiB
[guests a]
count = 6
boot = 1GiB
workload = burst
starts = 0..2h
[guests b]
count = 3
boot = 2GiB
workload = sandbox
[guests c]
count = 1
boot = 4GiB
workload = database
)";

Scenario MixedScenario() {
  auto scenario = ReadScenario("mixed.scenario", kMixed);
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  return *std::move(scenario);
}

std::vector<Segment> BeginningOf(const GuestPlan& guest) {
  return SegmentsOf(*guest.workload(), Seconds(3600));
}

std::map<std::string, std::vector<Segment>> BeginningsOf(const WorldPlan& plan) {
  std::map<std::string, std::vector<Segment>> beginnings;
  for (const GuestPlan& guest : plan.guests) beginnings[guest.limits.name] = BeginningOf(guest);
  return beginnings;
}

std::map<char, int> CountsOf(const WorldPlan& plan) {
  std::map<char, int> counts;
  for (const GuestPlan& guest : plan.guests) ++counts[guest.limits.name.front()];
  return counts;
}

TEST(PlanTest, TheSameSeedIsTheSameWorldAndAnotherIsNot) {
  const Scenario scenario = MixedScenario();
  EXPECT_EQ(BeginningsOf(scenario.Plan(5)), BeginningsOf(scenario.Plan(5)));
  EXPECT_NE(BeginningsOf(scenario.Plan(5)), BeginningsOf(scenario.Plan(6)));
}

TEST(PlanTest, AFactoryStartsTheSameSequenceEachTime) {
  const WorldPlan plan = MixedScenario().Plan(5);
  for (const GuestPlan& guest : plan.guests) EXPECT_EQ(BeginningOf(guest), BeginningOf(guest));
}

TEST(PlanTest, GuestsOfAGroupDiffer) {
  const auto beginnings = BeginningsOf(MixedScenario().Plan(5));
  const std::set<std::string> names{"a-1", "a-2", "a-3", "a-4", "a-5", "a-6", "b-1", "b-2", "b-3", "c-1"};
  ASSERT_EQ(beginnings.size(), names.size());
  for (const std::string& name : names) ASSERT_TRUE(beginnings.contains(name)) << name;
  EXPECT_NE(beginnings.at("a-1"), beginnings.at("a-2"));
  EXPECT_NE(beginnings.at("b-1"), beginnings.at("b-2"));
}

TEST(PlanTest, KeepsTheProportionsForAnyNumberOfGuests) {
  const Scenario scenario = MixedScenario();
  for (const int times : {1, 2, 7}) {
    EXPECT_EQ(CountsOf(scenario.Plan(1, 10 * times)),
              (std::map<char, int>{{'a', 6 * times}, {'b', 3 * times}, {'c', times}}));
  }
  for (int guests = 1; guests <= 60; ++guests) {
    auto counts = CountsOf(scenario.Plan(1, guests));
    EXPECT_EQ(counts['a'] + counts['b'] + counts['c'], guests);
    EXPECT_NEAR(counts['a'], guests * 0.6, 1);
    EXPECT_NEAR(counts['b'], guests * 0.3, 1);
    EXPECT_NEAR(counts['c'], guests * 0.1, 1);
  }
}

TEST(PlanTest, OneMoreGuestLeavesTheOthersAsTheyWere) {
  const Scenario scenario = MixedScenario();
  for (int guests = 1; guests < 20; ++guests) {
    const auto smaller = BeginningsOf(scenario.Plan(3, guests));
    const auto larger = BeginningsOf(scenario.Plan(3, guests + 1));
    EXPECT_EQ(larger.size(), smaller.size() + 1);
    for (const auto& [name, segments] : smaller) {
      ASSERT_TRUE(larger.contains(name)) << name;
      EXPECT_EQ(larger.at(name), segments) << name;
    }
  }
}

TEST(PlanTest, StartsAreSpreadEvenlyHoweverManyGuestsThereAre) {
  const Scenario scenario = MixedScenario();
  for (const int guests : {10, 40, 160}) {
    std::vector<double> starts;
    for (const GuestPlan& guest : scenario.Plan(2, guests).guests) {
      if (guest.limits.name.front() == 'a') starts.push_back(SecondsOf(guest.starts_at));
    }
    std::sort(starts.begin(), starts.end());
    EXPECT_GE(starts.front(), 0);
    EXPECT_LT(starts.back(), 7200);
    // Multiples of the golden ratio leave no gap above 1.62 times the even one, twice that at the ends.
    const double even = 7200.0 / static_cast<double>(starts.size());
    for (size_t i = 1; i < starts.size(); ++i) EXPECT_LT(starts[i] - starts[i - 1], 2.7 * even);
  }
}

TEST(PlanTest, ACopyOfAScenarioPlansTheSame) {
  Scenario copy = MixedScenario();
  {
    const Scenario original = MixedScenario();
    copy = original;
  }
  EXPECT_EQ(BeginningsOf(copy.Plan(9)), BeginningsOf(MixedScenario().Plan(9)));
}

}  // namespace
}  // namespace ballast::sim
