// The loop with everything real but the edges: a clock that stands still, actuators that only remember.
#include "host-bridge/control/control_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "common/base/units.h"
#include "tests/host-bridge/control/loop_fixture.h"

namespace ballast::control {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(LoopTest, APressedGuestGetsItsBalloonBackInOneCommand) {
  Manage();
  VmmSays(768 * kMiB);
  GuestSays(10 * kMiB);
  loop_->Step();
  ASSERT_EQ(actuator_.commands.size(), 1u);
  EXPECT_EQ(actuator_.commands[0].second, 0);
  EXPECT_THAT(lines_, Contains(HasSubstr("web")));
}

TEST_F(LoopTest, NothingIsDoneBeforeTheVmmsActualSizeIsKnown) {
  Manage();
  GuestSays(10 * kMiB);
  loop_->Step();
  EXPECT_THAT(actuator_.commands, IsEmpty());
  VmmSays(768 * kMiB);
  loop_->Step();
  EXPECT_EQ(actuator_.commands.size(), 1u);
}

TEST_F(LoopTest, ObserveModeSaysWhatItWouldDoAndDoesNothing) {
  Manage(policy::Mode::kObserve);
  VmmSays(768 * kMiB);
  GuestSays(10 * kMiB);
  loop_->Step();
  EXPECT_THAT(actuator_.commands, IsEmpty());
  EXPECT_THAT(lines_, Contains(HasSubstr("observed only")));
}

TEST_F(LoopTest, APausedVmIsLeftAloneUntilItRuns) {
  Manage();
  VmmSays(768 * kMiB, /*running=*/false);
  GuestSays(10 * kMiB);
  loop_->Step();
  EXPECT_THAT(actuator_.commands, IsEmpty());
  VmmSays(768 * kMiB, /*running=*/true);
  mailbox_.OnLifecycle(vmm::Lifecycle::kResumed);
  loop_->Step();
  EXPECT_EQ(actuator_.commands.size(), 1u);
}

TEST_F(LoopTest, ALostVmmLinkMakesTheGuestUnmanagedUntilItIsReadAgain) {
  Manage();
  VmmSays(768 * kMiB);
  loop_->Step();
  mailbox_.OnLink(vmm::LinkState::kFailed, absl::UnavailableError("connection closed"));
  GuestSays(10 * kMiB);
  loop_->Step();
  EXPECT_THAT(actuator_.commands, IsEmpty());
  EXPECT_THAT(lines_, Contains(HasSubstr("unmanaged: connection closed")));
}

TEST_F(LoopTest, WhatWasPromisedStaysPromisedUntilTheVmmAnswersAgain) {
  std::vector<policy::Snapshot> seen;
  settings_.record = [&](const policy::Snapshot& snapshot, MonotonicTime, const policy::Outcome&,
                         const std::vector<policy::OomVerdict>&) { seen.push_back(snapshot); };
  Manage();
  VmmSays(768 * kMiB);
  GuestSays(10 * kMiB);
  loop_->Step();
  ASSERT_EQ(actuator_.commands.size(), 1u);
  mailbox_.OnLink(vmm::LinkState::kFailed, absl::UnavailableError("connection closed"));
  loop_->Step();
  EXPECT_EQ(seen.back().guests[0].history.target, Maybe(BalloonBytes{0}));
  EXPECT_EQ(seen.back().guests[0].history.last_actual, Maybe(BalloonBytes{768 * kMiB}));
  VmmSays(100 * kMiB);
  loop_->Step();
  EXPECT_FALSE(seen.back().guests[0].history.target) << "it may be another process";
}

TEST_F(LoopTest, TheReceiptTellsHowLongTheGuestWaited) {
  Manage();
  VmmSays(768 * kMiB);
  GuestSays(10 * kMiB);
  loop_->Step();
  vmm::Receipt receipt;
  receipt.id = actuator_.commands.at(0).first;
  receipt.written_at = clock_.now + Milliseconds(1);
  receipt.done_at = receipt.written_at + Microseconds(400);
  mailbox_.OnReceipt(receipt);
  loop_->Step();
  EXPECT_THAT(lines_, Contains(HasSubstr("written 3.00 ms after pressure began")));
}

TEST_F(LoopTest, ARefusedCommandIsSaidAndTriedAgain) {
  Manage();
  VmmSays(768 * kMiB);
  GuestSays(10 * kMiB);
  loop_->Step();
  vmm::Receipt receipt;
  receipt.id = actuator_.commands.at(0).first;
  receipt.status = absl::UnavailableError("connection closed");
  mailbox_.OnReceipt(receipt);
  for (int i = 0; i < 4; ++i) {
    clock_.now = clock_.now + Seconds(1);
    VmmSays(768 * kMiB);
    GuestSays(10 * kMiB);
    loop_->Step();
  }
  EXPECT_THAT(lines_, Contains(HasSubstr("failed: connection closed")));
  EXPECT_GE(actuator_.commands.size(), 2u);
}

TEST_F(LoopTest, ARebootedGuestGetsASafeTargetFirst) {
  Manage();
  VmmSays(768 * kMiB);
  GuestSays(150 * kMiB);
  loop_->Step();
  ASSERT_THAT(actuator_.commands, IsEmpty());
  mailbox_.OnLifecycle(vmm::Lifecycle::kReset);
  VmmSays(768 * kMiB);
  loop_->Step();
  ASSERT_EQ(actuator_.commands.size(), 1u);
  EXPECT_EQ(actuator_.commands[0].second, 0);
}

TEST_F(LoopTest, ARebootSeenWhileTheVmmIsAwayIsActedOnWhenItIsBack) {
  Manage();
  mailbox_.OnLifecycle(vmm::Lifecycle::kReset);
  loop_->Step();
  EXPECT_THAT(actuator_.commands, IsEmpty());
  VmmSays(768 * kMiB);
  loop_->Step();
  EXPECT_EQ(actuator_.commands.size(), 1u);
}

TEST_F(LoopTest, AResetDuringAPauseIsStillOwedItsSafeTargetWhenTheGuestRuns) {
  Manage();
  VmmSays(768 * kMiB, /*running=*/false);
  mailbox_.OnLifecycle(vmm::Lifecycle::kReset);
  loop_->Step();
  EXPECT_THAT(actuator_.commands, IsEmpty());
  VmmSays(768 * kMiB, /*running=*/true);
  loop_->Step();
  ASSERT_EQ(actuator_.commands.size(), 1u);
  EXPECT_EQ(actuator_.commands[0].second, 0);
}

TEST_F(LoopTest, ASafeTargetThatFailedIsOwedAgain) {
  Manage();
  VmmSays(768 * kMiB);
  mailbox_.OnLifecycle(vmm::Lifecycle::kReset);
  loop_->Step();
  ASSERT_EQ(actuator_.commands.size(), 1u);
  vmm::Receipt receipt;
  receipt.id = actuator_.commands[0].first;
  receipt.status = absl::DeadlineExceededError("no answer");
  mailbox_.OnReceipt(receipt);
  loop_->Step();
  EXPECT_EQ(actuator_.commands.size(), 2u);
}

TEST_F(LoopTest, TheLinkIsHeldWhileTheGuestIsStoppedAndRenewedAfterAReset) {
  RememberingLink link;
  Manage(policy::Mode::kFull, &link);
  loop_->Step();
  EXPECT_THAT(link.calls, IsEmpty()) << "whether it runs is not known yet";
  VmmSays(0);
  loop_->Step();
  VmmSays(0, /*running=*/false);
  loop_->Step();
  mailbox_.OnLink(vmm::LinkState::kFailed, absl::UnavailableError("gone"));
  loop_->Step();
  EXPECT_THAT(link.calls, ElementsAre("release", "hold"))
      << "a monitor that is lost says nothing about the guest";
  VmmSays(0, /*running=*/true);
  mailbox_.OnLifecycle(vmm::Lifecycle::kReset);
  loop_->Step();
  EXPECT_THAT(link.calls, ElementsAre("release", "hold", "renew", "release"));
}

TEST_F(LoopTest, AnAgentCannotFloodTheLog) {
  Manage();
  for (int i = 0; i < 1000; ++i) {
    mailbox_.OnEvent({session::GuestEvent::Kind::kOomKill, 1});
    loop_->Step();
  }
  EXPECT_LE(lines_.size(), 30u);
  clock_.now = clock_.now + Seconds(61);
  loop_->Step();
  const size_t before = lines_.size();
  mailbox_.OnEvent({session::GuestEvent::Kind::kOomKill, 1});
  loop_->Step();
  EXPECT_EQ(lines_.size(), before + 1);
}

TEST_F(LoopTest, EachOomVerdictIsSaidCountedAndRecorded) {
  std::vector<policy::OomVerdict> recorded;
  settings_.record = [&](const policy::Snapshot&, MonotonicTime, const policy::Outcome&,
                         const std::vector<policy::OomVerdict>& verdicts) {
    recorded.insert(recorded.end(), verdicts.begin(), verdicts.end());
  };
  Manage();
  policy::OomVerdict verdict;
  verdict.id = 1;
  verdict.scope = policy::OomScope::kCgroup;
  verdict.comm = "db";
  verdict.pid = 42;
  verdict.anon_bytes = 300 * kMiB;
  verdict.advice = "raise memory.max of /db.slice";
  mailbox_.OnVerdict(verdict);
  loop_->Step();
  loop_->Step();
  EXPECT_THAT(lines_,
              Contains("web: OOM kill: 'db' (pid 42, 300MiB) was killed (scope cgroup): raise memory.max "
                       "of /db.slice"));
  EXPECT_EQ(mailbox_.Counters().oom_kills[static_cast<size_t>(policy::OomScope::kCgroup)], 1u);
  EXPECT_THAT(recorded, ElementsAre(verdict)) << "once";
}

TEST_F(LoopTest, VerdictsAreBoundedAndStillCounted) {
  Manage();
  policy::OomVerdict verdict;
  verdict.scope = policy::OomScope::kGuest;
  verdict.kills = 3;
  for (int i = 0; i < 100; ++i) mailbox_.OnVerdict(verdict);
  EXPECT_EQ(mailbox_.Take().verdicts.size(), 64u);
  EXPECT_EQ(mailbox_.Counters().dropped_verdicts, 36u);
  EXPECT_EQ(mailbox_.Counters().oom_kills[static_cast<size_t>(policy::OomScope::kGuest)], 300u);
  mailbox_.RenewRation();
  mailbox_.OnVerdict(verdict);
  EXPECT_EQ(mailbox_.Take().verdicts.size(), 1u);
}

TEST_F(LoopTest, RecordsWhatWasDecidedOnBeforeAnythingIsDoneAboutIt) {
  struct Entry {
    policy::Snapshot snapshot;
    MonotonicTime now;
    policy::Outcome outcome;
    size_t commands = 0;
  };
  std::vector<Entry> entries;
  settings_.record = [&](const policy::Snapshot& snapshot, MonotonicTime now, const policy::Outcome& outcome,
                         const std::vector<policy::OomVerdict>&) {
    entries.push_back({snapshot, now, outcome, actuator_.commands.size()});
  };
  Manage();
  VmmSays(768 * kMiB);
  mailbox_.OnLifecycle(vmm::Lifecycle::kReset);
  loop_->Step();
  clock_.now = clock_.now + Seconds(1);
  VmmSays(0);
  GuestSays(150 * kMiB);
  loop_->Step();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_TRUE(entries[0].snapshot.guests[0].rebooted) << "it was decided on as rebooted";
  EXPECT_EQ(entries[0].outcome.decisions.size(), 1u);
  EXPECT_EQ(entries[0].commands, 0u);
  EXPECT_EQ(actuator_.commands.size(), 1u);
  EXPECT_EQ(entries[1].snapshot.guests[0].history, entries[0].outcome.histories[0]);
  for (const Entry& entry : entries) {
    EXPECT_EQ(policy::Decide(entry.snapshot, settings_.policy, entry.now), entry.outcome);
  }
}

TEST_F(LoopTest, TheMailboxIsBoundedHoweverFastNewsComes) {
  Manage();
  for (int i = 0; i < 10'000; ++i) mailbox_.OnLifecycle(vmm::Lifecycle::kReset);
  EXPECT_LE(mailbox_.Take().notices.size(), 64u);
  EXPECT_GT(mailbox_.Counters().dropped_notices, 9'000u);
}

}  // namespace
}  // namespace ballast::control
