#include "guest-agent/blocks/online_turns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ballast::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr MonotonicTime At(int64_t ms) { return MonotonicTime{} + Milliseconds(1'000'000 + ms); }

TEST(OnlineTurns, TheAgentsComeAtOnceAndAfterAFailureLaterEachTime) {
  OnlineTurns turns;
  EXPECT_EQ(turns.Next(), std::nullopt);
  turns.Want(33);
  turns.Want(32);
  EXPECT_THAT(turns.Due(At(0)), ElementsAre(32, 33));
  EXPECT_TRUE(turns.Failed(32, At(0)));
  turns.IsOnline(33, At(0));
  EXPECT_FALSE(turns.HasArrived(At(0))) << "the agent's own";
  EXPECT_EQ(turns.Next(), At(1'000));
  EXPECT_THAT(turns.Due(At(999)), IsEmpty());
  EXPECT_THAT(turns.Due(At(1'000)), ElementsAre(32));
  EXPECT_FALSE(turns.Failed(32, At(1'000)));
  EXPECT_EQ(turns.Next(), At(3'000));
  for (int i = 0; i < 10; ++i) (void)turns.Failed(32, At(3'000));
  EXPECT_EQ(turns.Next(), At(63'000)) << "a minute at most";
  turns.Forget(32);
  EXPECT_EQ(turns.Next(), std::nullopt);
}

TEST(OnlineTurns, TheKernelHasTimeForEachAfterTheOther) {
  OnlineTurns turns;
  turns.LeaveToKernel(32, false, At(0));
  turns.LeaveToKernel(33, false, At(10));
  EXPECT_THAT(turns.Due(At(309)), IsEmpty());
  EXPECT_EQ(turns.Next(), At(310));
  turns.IsOnline(32, At(300));
  EXPECT_THAT(turns.Due(At(599)), IsEmpty());
  EXPECT_TRUE(turns.AwaitsKernel(At(599)));
  EXPECT_FALSE(turns.HasArrived(At(599))) << "another may come";
  EXPECT_THAT(turns.Due(At(600)), ElementsAre(33));
  EXPECT_FALSE(turns.AwaitsKernel(At(600)));
  EXPECT_TRUE(turns.HasArrived(At(600)));
  EXPECT_THAT(turns.TakeArrived(), ElementsAre(32));
  EXPECT_FALSE(turns.HasArrived(At(600)));
}

TEST(OnlineTurns, WhatHasArrivedIsTakenWhenNoOtherIsAwaited) {
  OnlineTurns turns;
  turns.LeaveToKernel(32, false, At(0));
  turns.LeaveToKernel(33, true, At(0));
  turns.LeaveToKernel(34, true, At(0));
  turns.Forget(34);
  EXPECT_FALSE(turns.HasArrived(At(1)));
  turns.IsOnline(32, At(2));
  EXPECT_TRUE(turns.HasArrived(At(2)));
  EXPECT_THAT(turns.TakeArrived(), ElementsAre(32, 33));
  EXPECT_EQ(turns.Next(), std::nullopt);
}

}  // namespace
}  // namespace ballast::agent
