// Rule 13: a balloon whose pages the VMM does not give up is emptied again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/host-bridge/policy/world.h"

namespace ballast::policy {
namespace {

// 3 GiB with an empty quarter: above size + 128 MiB + a quarter of the balloon the VMM holds too much.
constexpr int64_t kLimit = 3 * kGiB + 128 * kMiB + 256 * kMiB;
Guest Held(int64_t resident) {
  return Guest("vfio").Boot(4 * kGiB).Balloon(kGiB).Target(kGiB).Available(kGiB).Resident(resident);
}

TEST(UselessBalloon, IsEmptiedAfterHalfAMinute) {
  World world;
  world.With(Held(4 * kGiB));
  const MonotonicTime start = world.now;
  const auto events = world.Live(31);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].at, start + Seconds(30));
  EXPECT_EQ(events[0].decision.reason.rule, Rule::kUselessBalloon);
  EXPECT_EQ(events[0].decision.from.count, kGiB);
  EXPECT_EQ(events[0].decision.target.count, 0);
  EXPECT_EQ(
      Explain(events[0].decision, "vfio"),
      "vfio: gives 1GiB, balloon 1GiB -> 0B, because the host did not get back what the balloon had taken "
      "[rule 13]");
}

TEST(UselessBalloon, NeedsMoreThanTheSlack) {
  World within;
  within.With(Held(kLimit));
  for (const World::Event& event : within.Live(50))
    EXPECT_NE(event.decision.reason.rule, Rule::kUselessBalloon);
  World above;
  above.With(Held(kLimit + 1));
  EXPECT_EQ(above.Live(50).size(), 1u);
}

TEST(UselessBalloon, LessThanTheSizeOrNoReadingProvesNothing) {
  World world;
  world.With(Held(100 * kMiB)).With(Guest("dark").Boot(4 * kGiB).Balloon(kGiB).Target(kGiB).Available(kGiB));
  for (const World::Event& event : world.Live(120))
    EXPECT_NE(event.decision.reason.rule, Rule::kUselessBalloon);
  EXPECT_FALSE(world.Of("vfio").history.held_back_since);
}

TEST(UselessBalloon, OneGoodReadingBeginsAnew) {
  World world;
  world.With(Held(4 * kGiB));
  EXPECT_TRUE(world.Live(25).empty());
  world.Of("vfio").vmm->value.resident_bytes = 3 * kGiB;
  EXPECT_TRUE(world.Live(1).empty());
  world.Of("vfio").vmm->value.resident_bytes = 4 * kGiB;
  EXPECT_TRUE(world.Live(30).empty());
  EXPECT_EQ(world.Live(1).size(), 1u);
}

TEST(UselessBalloon, IsAlsoJudgedWhileItMoves) {
  // A balloon that is asked for a little more again and again never rests.
  World world;
  world.With(Held(4 * kGiB).Target(2 * kGiB));
  int second = 0;
  std::optional<Decision> decision;
  for (; second < 40 && !decision; ++second) {
    world.SetBalloon("vfio", kGiB + second * 20 * kMiB);
    decision = DecisionFor(world, world.Later(Seconds(1)).Tick(), "vfio");
  }
  ASSERT_TRUE(decision);
  EXPECT_EQ(second, 31) << "30 s after the first look";
  EXPECT_EQ(decision->reason.rule, Rule::kUselessBalloon);
  EXPECT_EQ(decision->target.count, 0);
}

TEST(UselessBalloon, ABalloonOnItsWayBeyondTheBaselineIsStopped) {
  World world;
  world.With(Held(4 * kGiB).Baseline(2 * kGiB + 512 * kMiB).Target(2 * kGiB));
  std::optional<Decision> decision;
  for (int second = 0; second < 40 && !decision; ++second) {
    world.SetBalloon("vfio", 256 * kMiB + second * 20 * kMiB);
    decision = DecisionFor(world, world.Later(Seconds(1)).Tick(), "vfio");
  }
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->reason.rule, Rule::kUselessBalloon);
  EXPECT_EQ(decision->target.count, kGiB + 512 * kMiB);
}

TEST(UselessBalloon, NothingIsTakenOnSuspicionEither) {
  World world;
  world.Host(64 * kGiB, 4 * kGiB);
  world.With(Held(4 * kGiB).Available(2 * kGiB).Free(2 * kGiB));
  EXPECT_TRUE(world.Live(30).empty());
  // Above its size by no more than the slack it is a donor like any other.
  World trusted;
  trusted.Host(64 * kGiB, 4 * kGiB);
  trusted.With(Held(kLimit).Available(2 * kGiB).Free(2 * kGiB));
  EXPECT_GT(DecisionFor(trusted, trusted.Tick(), "vfio")->target.count, kGiB);
}

TEST(UselessBalloon, AnEmptyOneIsNone) {
  World world;
  world.With(Guest("fat").Boot(4 * kGiB).Available(kGiB).Resident(6 * kGiB));
  world.Live(59);
  EXPECT_FALSE(world.Of("fat").history.held_back_since) << "a VMM may need more than its guest";
}

TEST(UselessBalloon, GivesBackToTheBaselineNotMore) {
  World world;
  world.With(Held(4 * kGiB).Baseline(3 * kGiB + 512 * kMiB));
  const auto events = world.Live(31);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].decision.target.count, 512 * kMiB);
  World at_baseline;
  at_baseline.With(Held(4 * kGiB).Baseline(3 * kGiB));
  EXPECT_TRUE(at_baseline.Live(55).empty()) << "it has what it is owed";
  EXPECT_GT(at_baseline.Of("vfio").history.inflate_blocked_until, at_baseline.now) << "but gives no more";
}

TEST(UselessBalloon, BlocksInflationForHalfADayAtOnce) {
  World world;
  world.With(Held(4 * kGiB));
  const MonotonicTime start = world.now;
  world.Live(31);
  EXPECT_EQ(world.Of("vfio").history.inflate_blocked_until, start + Seconds(30) + Seconds(12 * 3600));
  EXPECT_EQ(world.Of("vfio").history.next_block, Nanos{}) << "the growing blocks are those of rules 3 and 4";
}

TEST(UselessBalloon, TakesNothingWhileBlockedEvenForAShortHost) {
  World world;
  world.With(Held(4 * kGiB).Available(2 * kGiB));
  world.Live(31);
  world.Host(64 * kGiB, 4 * kGiB);
  for (const World::Event& event : world.Live(25)) EXPECT_LE(event.decision.target, event.decision.from);
}

TEST(UselessBalloon, FitsTheHostsBudget) {
  World world;
  world.Host(64 * kGiB, 64 * kGiB / 10 + 8 * kMiB);
  world.With(Held(4 * kGiB));
  const auto events = world.Live(31);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].decision.target.count, kGiB - 8 * kMiB);
}

TEST(UselessBalloon, AlsoOfAGuardedGuestAndOnlyShownOfAnObservedOne) {
  World world;
  world.With(Held(4 * kGiB).In(Mode::kGuard));
  ASSERT_EQ(world.Live(31).size(), 1u);
  World observed;
  observed.With(Held(4 * kGiB).In(Mode::kObserve));
  const auto events = observed.Live(31);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_FALSE(events[0].decision.act);
}

TEST(UselessBalloon, HostileReadingsAreSurvived) {
  for (const int64_t resident : {INT64_MAX, int64_t{-1}, INT64_MIN + 1}) {
    World world;
    world.With(Held(resident));
    EXPECT_EQ(world.Live(31).size(), resident > 0 ? 1u : 0u) << resident;
  }
}

}  // namespace
}  // namespace ballast::policy
