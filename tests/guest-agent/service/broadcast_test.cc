// Events that do not come from the sampling thread.
#include <gtest/gtest.h>

#include <thread>

#include "tests/guest-agent/service/agent_fixture.h"

namespace ballast::agent {
namespace {

using BroadcastTest = AgentFixture;

bool IsShrink(const guest::v1::WatchResponse& message) {
  return message.has_event() && message.event().has_balloon_shrank();
}

TEST_F(BroadcastTest, ReachesEverybodyAtOnceAndCountsThem) {
  EXPECT_EQ(Loop().Broadcast({{1}, BalloonShrank{1}}), 0u);
  const auto one = Watch();
  const auto other = Watch();
  one->Next();
  other->Next();
  EXPECT_EQ(Loop().Broadcast({{2}, BalloonShrank{77}}), 2u);
  for (Watching* watch : {one.get(), other.get()}) {
    const auto told = watch->Until(IsShrink);
    ASSERT_TRUE(told.has_value());
    EXPECT_EQ(told->event().balloon_shrank().bytes(), 77);
  }
}

TEST_F(BroadcastTest, DoesNotCountWhoHasLeft) {
  {
    const auto passing = Watch();
    passing->Next();
  }
  EXPECT_TRUE(Eventually([this] { return Loop().Broadcast({{1}, BalloonShrank{1}}) == 0; }));
}

TEST_F(BroadcastTest, FromSeveralThreadsLosesNothingToOneWhoReads) {
  constexpr int kThreads = 4;
  constexpr int kEach = 12;  // fewer in sum than a queue holds
  const auto watch = Watch();
  watch->Next();
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this] {
      for (int n = 0; n < kEach; ++n) Loop().Broadcast({{1}, BalloonShrank{1}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < kThreads * kEach; ++i) ASSERT_TRUE(watch->Until(IsShrink).has_value());
}

}  // namespace
}  // namespace ballast::agent
