#include "guest-agent/oom/verdict_plan.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace ballast::agent {
namespace {

using kernel::OomChosen;
using kernel::OomConstraint;
using kernel::OomInvoked;
using kernel::OomKilled;

constexpr MonotonicTime kStart{1'000'000'000'000};

class VerdictPlanTest : public ::testing::Test {
 protected:
  void Use(bool bpf, bool kmsg) {
    plan_ = VerdictPlan({.bpf = bpf, .kmsg = kmsg});
    plan_.OnCounter(5, now_);
  }

  void Kernel(int32_t pid, int32_t tid = 0) {
    KillFacts kill;
    kill.at = now_;
    kill.pid = pid;
    kill.tid = tid == 0 ? pid : tid;
    kill.comm = std::string_view("kernel");
    kill.constraint = OomConstraint::kNone;
    plan_.OnKernelKill(kill);
  }
  void LogChoice(int32_t pid, std::string_view limit = "") {
    plan_.OnLogLine(OomInvoked{.comm = "asker", .gfp_mask = 0x140dca, .order = 1}, now_);
    plan_.OnLogLine(OomChosen{.constraint = limit.empty() ? OomConstraint::kNone : OomConstraint::kMemcg,
                              .limit_cgroup = limit,
                              .cgroup = "/victim",
                              .comm = "log",
                              .pid = pid,
                              .uid = 7},
                    now_);
  }
  void LogKill(int32_t pid) {
    OomKilled killed;
    killed.pid = pid;
    killed.comm = "log";
    killed.anon_bytes = 4096;
    plan_.OnLogLine(killed, now_);
  }
  void Log(int32_t pid) {
    LogChoice(pid);
    LogKill(pid);
  }
  void Count(int64_t kills) { plan_.OnCounter(5 + kills, now_); }
  void Pass(Nanos time) { now_ = now_ + time; }

  std::vector<OomVerdict> Due() {
    std::vector<OomVerdict> verdicts;
    while (const auto verdict =
               plan_.Next({.total_bytes = 1 << 30, .available_bytes = 77, .balloon_bytes = 3}, now_)) {
      verdicts.push_back(*verdict);
    }
    return verdicts;
  }

  MonotonicTime now_ = kStart;
  VerdictPlan plan_{OomSources{}};
};

TEST_F(VerdictPlanTest, WhatTheKernelsProgramsSawIsToldAtOnceAndOnce) {
  Use(true, true);
  Kernel(10);
  const auto verdicts = Due();
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].id, 1u);
  EXPECT_EQ(verdicts[0].source, OomSource::kBpf);
  EXPECT_EQ(verdicts[0].kill.pid, 10);
  EXPECT_EQ(verdicts[0].available_bytes, 77);
  EXPECT_EQ(verdicts[0].balloon_bytes, 3);
  EXPECT_EQ(verdicts[0].kills, 1);
  Log(10);
  Count(1);
  Pass(Seconds(5));
  EXPECT_TRUE(Due().empty());
  EXPECT_FALSE(plan_.NextDue().has_value());
}

TEST_F(VerdictPlanTest, TheLogWaitsForTheBetterSource) {
  Use(true, true);
  Log(10);
  EXPECT_TRUE(Due().empty());
  Kernel(10);
  const auto verdicts = Due();
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].source, OomSource::kBpf);
  EXPECT_EQ(verdicts[0].kill.comm.View(), "kernel");
}

TEST_F(VerdictPlanTest, ButNotForEver) {
  Use(true, true);
  Log(10);
  ASSERT_EQ(plan_.NextDue(), now_ + VerdictPlan::kLogGrace);
  Pass(VerdictPlan::kLogGrace);
  const auto verdicts = Due();
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].source, OomSource::kKmsg);
  Kernel(10);
  EXPECT_TRUE(Due().empty()) << "it was told of already";
}

TEST_F(VerdictPlanTest, TheLogAloneTellsAllItKnows) {
  Use(false, true);
  LogChoice(10, "/limit");
  LogKill(10);
  const auto verdicts = Due();
  ASSERT_EQ(verdicts.size(), 1u);
  const KillFacts& kill = verdicts[0].kill;
  EXPECT_EQ(verdicts[0].source, OomSource::kKmsg);
  EXPECT_EQ(verdicts[0].scope, OomScope::kCgroup);
  EXPECT_EQ(kill.limit_cgroup.View(), "/limit");
  EXPECT_EQ(kill.cgroup.View(), "/victim");
  EXPECT_EQ(kill.asker_comm.View(), "asker");
  EXPECT_EQ(kill.comm.View(), "log");
  EXPECT_EQ(kill.uid, 7u);
  EXPECT_EQ(kill.order, 1);
  EXPECT_EQ(kill.gfp_mask, 0x140dcau);
  EXPECT_EQ(kill.anon_bytes, 4096);
}

TEST_F(VerdictPlanTest, AThreadIsToldAsItsProcess) {
  Use(false, true);
  LogChoice(10);
  LogKill(13);
  auto verdicts = Due();
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].kill.pid, 10);
  EXPECT_EQ(verdicts[0].kill.tid, 13);
  Use(true, true);
  Kernel(20, 23);
  EXPECT_EQ(Due().size(), 1u);
  LogKill(23);
  Pass(Seconds(1));
  EXPECT_TRUE(Due().empty());
}

TEST_F(VerdictPlanTest, SeveralAtOnceAreSeveral) {
  Use(true, true);
  Kernel(10);
  Kernel(11);
  LogChoice(10, "/limit");
  LogKill(10);
  LogKill(11);
  LogKill(12);  // the programs missed it
  Pass(VerdictPlan::kLogGrace);
  const auto verdicts = Due();
  ASSERT_EQ(verdicts.size(), 3u);
  EXPECT_EQ(verdicts[0].kill.pid, 10);
  EXPECT_EQ(verdicts[1].kill.pid, 11);
  EXPECT_EQ(verdicts[2].kill.pid, 12);
  EXPECT_TRUE(verdicts[2].kill.cgroup.IsEmpty()) << "only the chosen one's is in the log";
  EXPECT_EQ(verdicts[2].kill.limit_cgroup.View(), "/limit");
  Count(3);
  Pass(Seconds(5));
  EXPECT_TRUE(Due().empty());
}

// As a group is killed: the chosen one, then all of the group, it among them.
TEST_F(VerdictPlanTest, OneThatTheKernelCountsTwiceIsOne) {
  Use(true, true);
  for (const int32_t pid : {10, 11, 10}) Kernel(pid);
  LogChoice(10, "/limit");
  for (const int32_t pid : {10, 11, 10}) LogKill(pid);
  EXPECT_EQ(Due().size(), 2u);
  Count(3);
  Pass(Seconds(5));
  EXPECT_TRUE(Due().empty());
}

TEST_F(VerdictPlanTest, TheSameIdMuchLaterIsAnotherProcess) {
  Use(true, false);
  Kernel(10);
  EXPECT_EQ(Due().size(), 1u);
  Pass(VerdictPlan::kSameKill + Nanos{1});
  Kernel(10);
  EXPECT_EQ(Due().size(), 1u);
}

TEST_F(VerdictPlanTest, WithTheCountersAloneAtOnceAndHowMany) {
  Use(false, false);
  EXPECT_TRUE(Due().empty()) << "what was there before the agent is not its business";
  Count(2);
  auto verdicts = Due();
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].source, OomSource::kCounters);
  EXPECT_EQ(verdicts[0].kills, 2);
  EXPECT_EQ(verdicts[0].kill.pid, 0);
  Count(3);
  verdicts = Due();
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].kills, 1);
  EXPECT_EQ(verdicts[0].id, 2u);
}

TEST_F(VerdictPlanTest, BetterSourcesGetAMomentBeforeAKillIsNobodys) {
  Use(true, true);
  Count(1);
  EXPECT_TRUE(Due().empty());
  ASSERT_EQ(plan_.NextDue(), now_ + VerdictPlan::kCounterGrace);
  Pass(VerdictPlan::kCounterGrace - Nanos{1});
  EXPECT_TRUE(Due().empty());
  Kernel(10);
  EXPECT_EQ(Due().size(), 1u);
  Count(1);
  Pass(Seconds(5));
  EXPECT_TRUE(Due().empty());
  Count(3);
  Pass(VerdictPlan::kCounterGrace);
  const auto verdicts = Due();
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].source, OomSource::kCounters);
  EXPECT_EQ(verdicts[0].kills, 2);
}

TEST_F(VerdictPlanTest, ToldOfAfterItWasNobodysItIsNotToldAgain) {
  Use(true, true);
  Count(1);
  Pass(VerdictPlan::kCounterGrace);
  ASSERT_EQ(Due().size(), 1u);
  Kernel(10);
  EXPECT_TRUE(Due().empty());
  Count(1);
  EXPECT_TRUE(Due().empty()) << "the count is what it was";
  Kernel(11);
  EXPECT_EQ(Due().size(), 1u) << "no more doubt after the one that was late";
}

TEST_F(VerdictPlanTest, ANewKillSoonAfterOneThatWasNobodysIsTold) {
  Use(true, true);
  Count(1);
  Pass(VerdictPlan::kCounterGrace);
  ASSERT_EQ(Due().size(), 1u);
  Kernel(10);
  Count(2);
  const auto verdicts = Due();
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].kill.pid, 10);
}

TEST_F(VerdictPlanTest, WithoutACounterNothingIsNobodys) {
  plan_ = VerdictPlan({.bpf = true, .kmsg = true});
  Kernel(10);
  EXPECT_EQ(Due().size(), 1u);
  Pass(Seconds(60));
  EXPECT_TRUE(Due().empty());
}

TEST_F(VerdictPlanTest, MoreThanThereIsRoomForAreCounted) {
  Use(true, true);
  for (int32_t pid = 1; pid <= 70; ++pid) Kernel(pid);
  EXPECT_EQ(plan_.Overflowed(), 6);
  EXPECT_EQ(Due().size(), 64u);
  Count(70);
  Pass(VerdictPlan::kCounterGrace);
  const auto verdicts = Due();
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].kills, 6);
}

TEST_F(VerdictPlanTest, ACountThatFallsIsNoNews) {
  Use(false, false);
  Count(2);
  EXPECT_EQ(Due().size(), 1u);
  Count(-3);
  EXPECT_TRUE(Due().empty());
  Count(2);
  EXPECT_TRUE(Due().empty());
}

}  // namespace
}  // namespace ballast::agent
