#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host-bridge/hotplug/growth.h"
#include "tests/host-bridge/hotplug/fake_machine.h"

namespace ballast::hotplug {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Runs a change from what is plugged to `target` to its end.
Result Change(FakeMachine& machine, int64_t target,
              const std::function<void(const Order&)>& fault = nullptr) {
  const auto task = MakeTask(RequestedBytes(machine.devices), target, machine.now, 1);
  EXPECT_TRUE(machine.Run(*task, fault));
  return task->result().value_or(Result{});
}

std::string WhyOf(const Result& result) { return std::string(result.status.message()); }

// --- Growing ---

TEST(GrowTaskTest, PlugsDimmsAndCountsWhatTheGuestUses) {
  FakeMachine machine;
  const Result result = Change(machine, 768 * kMiB);
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.reached_bytes, 768 * kMiB);
  EXPECT_EQ(machine.OnlineBytes(), (512 + 768) * kMiB);
  EXPECT_THAT(machine.Leaks(), IsEmpty());
}

TEST(GrowTaskTest, RaisesVirtioMem) {
  FakeMachine machine;
  machine.AddVirtioMem(kGiB);
  const Result result = Change(machine, 300 * kMiB);
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.reached_bytes, 300 * kMiB);
  EXPECT_EQ(machine.devices.devices[0].size_bytes, 300 * kMiB);
  EXPECT_THAT(machine.DimmIds(), IsEmpty());
}

TEST(GrowTaskTest, UsesBothKindsWhereOneIsNotEnough) {
  FakeMachine machine;
  machine.AddVirtioMem(256 * kMiB);
  const Result result = Change(machine, 512 * kMiB);
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.reached_bytes, 512 * kMiB);
  EXPECT_THAT(machine.DimmIds(), SizeIs(1));
}

TEST(GrowTaskTest, ADimmTheGuestDoesNotSeeIsTakenOutAgain) {
  FakeMachine machine;
  machine.guest_sees = false;
  const Result result = Change(machine, 256 * kMiB);
  EXPECT_EQ(result.status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(WhyOf(result), HasSubstr("the guest does not see it"));
  EXPECT_EQ(result.reached_bytes, 0);
  EXPECT_THAT(machine.DimmIds(), IsEmpty());
  EXPECT_THAT(machine.Leaks(), IsEmpty());
}

TEST(GrowTaskTest, AnAgentThatLeavesBlocksOfflineIsTold) {
  FakeMachine machine;
  machine.onlines_by_itself = false;
  const Result result = Change(machine, 256 * kMiB);
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_THAT(machine.Leaks(), IsEmpty());
}

TEST(GrowTaskTest, AnAgentThatIsBusyIsToldAgain) {
  FakeMachine machine;
  machine.onlines_by_itself = false;
  machine.refusals = 3;
  const Result result = Change(machine, 256 * kMiB);
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.reached_bytes, 256 * kMiB);
  EXPECT_THAT(machine.Leaks(), IsEmpty());
}

TEST(GrowTaskTest, BlocksThatStayOfflineAreNamedWithReasons) {
  FakeMachine machine;
  machine.never_online = {4 * kGiB + kBlock};
  const Result result = Change(machine, 256 * kMiB);
  EXPECT_EQ(result.status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(WhyOf(result), HasSubstr("128MiB of ballast-dimm-1: the guest does not bring it online"));
  EXPECT_EQ(result.reached_bytes, 128 * kMiB);
  ASSERT_THAT(result.refused, SizeIs(1));
  EXPECT_EQ(result.refused[0].address, 4 * kGiB + kBlock);
  EXPECT_THAT(result.refused[0].reason, HasSubstr("metadata"));
  // Half of it is in use: it cannot be taken away.
  EXPECT_THAT(machine.DimmIds(), SizeIs(1));
}

TEST(GrowTaskTest, VirtioMemThatStandsStillIsAskedForWhatItHas) {
  FakeMachine machine;
  machine.AddVirtioMem(kGiB);
  machine.virtio_takes_at_most = 128 * kMiB;
  const Result result = Change(machine, 512 * kMiB);
  EXPECT_EQ(result.status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(result.reached_bytes, 128 * kMiB);
  EXPECT_EQ(machine.devices.devices[0].requested_bytes, 128 * kMiB);
}

TEST(GrowTaskTest, FullSlotsAreSaid) {
  FakeMachine machine;
  machine.devices.free_slots = 0;
  const Result result = Change(machine, 256 * kMiB);
  EXPECT_EQ(result.status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(WhyOf(result), HasSubstr("256MiB are missing"));
}

TEST(GrowTaskTest, AHostWithoutTheMemoryIsSaidInTheVmmsWords) {
  FakeMachine machine;
  machine.devices.free_bytes = 8 * kGiB;  // what the VMM believes
  const Result result = Change(machine, 256 * kMiB, [&](const Order& order) {
    if (std::holds_alternative<PlugDimm>(order.what)) machine.devices.free_bytes = 0;
  });
  EXPECT_EQ(result.status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(result.reached_bytes, 0);
}

TEST(GrowTaskTest, AnAgentThatStartsAnewIsWaitedFor) {
  FakeMachine machine;
  int lists = 0;
  machine.onlines_by_itself = false;
  const Result result = Change(machine, 128 * kMiB, [&](const Order& order) {
    const auto* blocks = std::get_if<observe::BlockOrder>(&order.what);
    if (blocks == nullptr) return;
    machine.agent_up = ++lists > 8;
  });
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_THAT(machine.Leaks(), IsEmpty());
}

TEST(GrowTaskTest, ACallOffEndsBetweenTwoSteps) {
  FakeMachine machine;
  machine.devices.free_slots = 16;
  machine.AddVirtioMem(128 * kMiB);
  const auto task = MakeTask(0, kGiB, machine.now, 1);
  EXPECT_TRUE(machine.Run(*task, [&](const Order&) { task->Cancel(); }));
  EXPECT_TRUE(absl::IsAborted(task->result()->status));
  EXPECT_EQ(task->result()->reached_bytes, 128 * kMiB);
  EXPECT_THAT(machine.DimmIds(), IsEmpty());
}

// --- Shrinking ---

TEST(ShrinkTaskTest, TakesTheDimmsThatMakeUpTheSizeExactly) {
  FakeMachine machine;
  machine.AddDimm(512 * kMiB);
  machine.AddDimm(384 * kMiB);
  machine.AddDimm(384 * kMiB);
  const Result result = Change(machine, 512 * kMiB);
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.reached_bytes, 512 * kMiB);
  EXPECT_THAT(machine.DimmIds(), SizeIs(1));
  EXPECT_THAT(machine.Leaks(), IsEmpty());
}

// What is in use is copied elsewhere first.
TEST(ShrinkTaskTest, ALargerDimmHasMoreTime) {
  for (const auto& [bytes, deadline, put_back] : {std::tuple{128 * kMiB, Seconds(31), Seconds(121)},
                                                  {16 * kGiB, Seconds(158), Seconds(248)},
                                                  {512 * kGiB, Seconds(1830), Seconds(1920)}}) {
    FakeMachine machine;
    machine.devices.free_bytes = 1024 * kGiB;
    machine.AddDimm(bytes);
    int orders = 0;
    EXPECT_TRUE(Change(machine, 0, [&, deadline = deadline, put_back = put_back](const Order& order) {
                  const auto* blocks = std::get_if<observe::BlockOrder>(&order.what);
                  if (blocks == nullptr || blocks->action != observe::BlockAction::kOffline) return;
                  ++orders;
                  EXPECT_EQ(blocks->deadline, deadline);
                  EXPECT_EQ(blocks->put_back_after, put_back);
                }).status.ok());
    EXPECT_EQ(orders, 1);
  }
}

TEST(ShrinkTaskTest, ASizeThatCannotBeMetIsSaid) {
  FakeMachine machine;
  machine.AddDimm(512 * kMiB);
  const Result result = Change(machine, 256 * kMiB);
  EXPECT_EQ(result.status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(WhyOf(result), HasSubstr("no set of DIMMs makes up 256MiB"));
  EXPECT_EQ(result.reached_bytes, 512 * kMiB);
  EXPECT_THAT(machine.Leaks(), IsEmpty());
}

TEST(ShrinkTaskTest, ABusyBlockKeepsItsDimmAndAnotherGoesInstead) {
  FakeMachine machine;
  machine.AddDimm(256 * kMiB);
  machine.AddDimm(256 * kMiB);
  machine.unmovable = {4 * kGiB, 4 * kGiB + 2 * kBlock};
  machine.AddDimm(256 * kMiB);
  const Result result = Change(machine, 512 * kMiB);
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.reached_bytes, 512 * kMiB);
  EXPECT_THAT(machine.Leaks(), IsEmpty());
}

TEST(ShrinkTaskTest, BlocksThatStayAreNamedWithReasons) {
  FakeMachine machine;
  machine.AddDimm(256 * kMiB);
  machine.unmovable = {4 * kGiB + kBlock};
  const Result result = Change(machine, 0);
  EXPECT_EQ(result.status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(WhyOf(result), HasSubstr("ballast-dimm-1 stays: a block of it cannot go offline (pages"));
  ASSERT_THAT(result.refused, SizeIs(1));
  EXPECT_EQ(result.refused[0].address, 4 * kGiB + kBlock);
  EXPECT_EQ(result.refused[0].error, 16);
  EXPECT_THAT(machine.Leaks(), IsEmpty());
}

TEST(ShrinkTaskTest, TheBlockThatStaysIsNamedAndNotThoseThatWereNotTried) {
  FakeMachine machine;
  machine.AddDimm(256 * kMiB);
  const auto task = MakeTask(256 * kMiB, 0, machine.now, 1);
  const bool ended = machine.Run(*task, [&](const Order& order) {
    const auto* blocks = std::get_if<observe::BlockOrder>(&order.what);
    if (blocks == nullptr || blocks->action != observe::BlockAction::kOffline) return;
    machine.refuses_offline = {{4 * kGiB, 0, "not tried: others stay"},
                               {4 * kGiB + kBlock, 16, "it is busy"}};
  });
  ASSERT_TRUE(ended);
  EXPECT_THAT(WhyOf(*task->result()), HasSubstr("cannot go offline (it is busy)"));
  ASSERT_THAT(task->result()->refused, SizeIs(1));
  EXPECT_EQ(task->result()->refused[0].address, 4 * kGiB + kBlock);
}

TEST(ShrinkTaskTest, CalledOffWhileItListsItBeginsNothing) {
  FakeMachine machine;
  machine.AddDimm(256 * kMiB);
  const auto task = MakeTask(256 * kMiB, 0, machine.now, 1);
  int orders = 0;
  ASSERT_TRUE(machine.Run(*task, [&](const Order&) {
    ++orders;
    task->Cancel();
  }));
  EXPECT_EQ(orders, 1);
  EXPECT_TRUE(absl::IsAborted(task->result()->status)) << task->result()->status;
}

TEST(ShrinkTaskTest, ACallOffDoesNotWaitForTheAgent) {
  FakeMachine machine;
  const std::string dimm = machine.AddDimm(256 * kMiB);
  const Sampled<vmm::DeviceReading> reading{machine.devices, machine.now};
  const auto task = MakeTask(256 * kMiB, 0, machine.now, 1);
  const auto step = [&] {
    task->Step({machine.now, reading});
    return task->TakeOrders();
  };
  task->OnBlocks(std::get<observe::BlockReceipt>(machine.Carry(step().at(0))));  // which blocks there are
  const std::vector<Order> offline = step();
  ASSERT_THAT(offline, SizeIs(1));
  EXPECT_THAT(step(), IsEmpty());
  task->Cancel();
  EXPECT_THAT(step(), ElementsAre(Order{offline[0].id, CallOff{}}));
  EXPECT_THAT(step(), IsEmpty()) << "once";
  EXPECT_FALSE(task->result());
  task->OnBlocks({.id = offline[0].id,
                  .status = absl::UnavailableError("the link to the agent broke, or it was called off")});
  const std::vector<Order> back = step();  // what the agent has done by then nobody knows
  ASSERT_THAT(back, SizeIs(1));
  EXPECT_EQ(std::get<observe::BlockOrder>(back[0].what).action, observe::BlockAction::kOnline);
  task->OnBlocks(std::get<observe::BlockReceipt>(machine.Carry(back[0])));
  EXPECT_THAT(step(), IsEmpty());
  ASSERT_TRUE(task->result());
  EXPECT_TRUE(absl::IsAborted(task->result()->status)) << task->result()->status;
}

TEST(ShrinkTaskTest, BlocksComeBackAfterEveryErrorThatMayHaveTakenThemOffline) {
  for (const absl::StatusCode code :
       {absl::StatusCode::kResourceExhausted, absl::StatusCode::kUnavailable, absl::StatusCode::kUnknown,
        absl::StatusCode::kInternal, absl::StatusCode::kDeadlineExceeded, absl::StatusCode::kCancelled}) {
    FakeMachine machine;
    machine.AddDimm(256 * kMiB);
    const Result result = Change(machine, 0, [&](const Order& order) {
      const auto* blocks = std::get_if<observe::BlockOrder>(&order.what);
      if (blocks != nullptr && blocks->action == observe::BlockAction::kOffline)
        machine.next_block_answer = absl::Status(code, "it failed");
    });
    EXPECT_EQ(result.status.code(), code);
    EXPECT_THAT(machine.Leaks(), IsEmpty()) << result.status;
  }
}

TEST(ShrinkTaskTest, AGuestThatStallsForAMomentIsAskedAgain) {
  FakeMachine machine;
  machine.AddDimm(256 * kMiB);
  machine.stalls = 3;
  const MonotonicTime began = machine.now;
  const Result result = Change(machine, 0);
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_THAT(result.refused, IsEmpty()) << "what left in the end has refused nothing";
  EXPECT_GE(machine.now - began, Patience{}.relief * 3);
  EXPECT_THAT(machine.Leaks(), IsEmpty());
}

TEST(ShrinkTaskTest, AGuestThatStallsEachTimeKeepsItsMemory) {
  FakeMachine machine;
  machine.AddDimm(256 * kMiB);
  machine.stalls = 1000;
  const Result result = Change(machine, 0);
  EXPECT_EQ(machine.stalls, 1000 - 4);
  EXPECT_THAT(WhyOf(result), HasSubstr("cannot go offline (not tried: tasks stalled on memory)"));
  EXPECT_THAT(result.refused, SizeIs(2));
  EXPECT_THAT(machine.Leaks(), IsEmpty());
}

TEST(ShrinkTaskTest, ACallOffDoesNotWaitForTheStallsToEnd) {
  FakeMachine machine;
  machine.AddDimm(256 * kMiB);
  machine.stalls = 1000;
  const auto task = MakeTask(256 * kMiB, 0, machine.now, 1);
  int orders = 0;
  ASSERT_TRUE(machine.Run(*task, [&](const Order&) {
    if (++orders == 3) task->Cancel();
  }));
  EXPECT_TRUE(absl::IsAborted(task->result()->status)) << task->result()->status;
  EXPECT_EQ(orders, 3);
  EXPECT_THAT(machine.Leaks(), IsEmpty());
}

TEST(ShrinkTaskTest, AGuestThatRefusesGetsItsMemoryBack) {
  FakeMachine machine;
  machine.AddDimm(256 * kMiB);
  machine.guest_lets_go = false;
  const Result result = Change(machine, 0);
  EXPECT_EQ(result.status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(WhyOf(result), HasSubstr("the guest refused"));
  EXPECT_EQ(machine.OnlineBytes(), (512 + 256) * kMiB);
  EXPECT_THAT(machine.Leaks(), IsEmpty());
}

TEST(ShrinkTaskTest, AGuestThatDoesNotAnswerGetsItsMemoryBack) {
  FakeMachine machine;
  machine.AddDimm(256 * kMiB);
  machine.guest_answers = false;
  const Result result = Change(machine, 0);
  EXPECT_EQ(result.status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(WhyOf(result), HasSubstr("did not go within the deadline"));
  EXPECT_THAT(machine.Leaks(), IsEmpty());
}

TEST(ShrinkTaskTest, AnUnplugWhoseAnswerWasLostIsSeenFromTheDevices) {
  FakeMachine machine;
  machine.AddDimm(256 * kMiB);
  machine.loses_answers = true;
  const Result result = Change(machine, 0);
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.reached_bytes, 0);
  EXPECT_THAT(machine.Leaks(), IsEmpty());
}

TEST(ShrinkTaskTest, VirtioMemIsNudgedWhereItStandsStill) {
  FakeMachine machine;
  machine.AddVirtioMem(kGiB);
  Change(machine, 512 * kMiB);
  machine.nudges_needed = 2;
  const Result result = Change(machine, 0);
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.reached_bytes, 0);
}

TEST(ShrinkTaskTest, WhatVirtioMemKeepsIsNoLongerAskedFor) {
  FakeMachine machine;
  machine.AddVirtioMem(kGiB);
  Change(machine, 512 * kMiB);
  machine.virtio_keeps = 20 * kMiB;
  const Result result = Change(machine, 0);
  EXPECT_EQ(result.status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(WhyOf(result), HasSubstr("20MiB of vm0 stay"));
  EXPECT_EQ(result.reached_bytes, 20 * kMiB);
  EXPECT_EQ(machine.devices.devices[0].requested_bytes, 20 * kMiB);
}

TEST(ShrinkTaskTest, ACallOffBringsBlocksBack) {
  FakeMachine machine;
  machine.AddDimm(256 * kMiB);
  const auto task = MakeTask(256 * kMiB, 0, machine.now, 1);
  EXPECT_TRUE(machine.Run(*task, [&](const Order& order) {
    const auto* blocks = std::get_if<observe::BlockOrder>(&order.what);
    if (blocks != nullptr && blocks->action == observe::BlockAction::kOffline) task->Cancel();
  }));
  EXPECT_TRUE(absl::IsAborted(task->result()->status));
  EXPECT_EQ(machine.OnlineBytes(), (512 + 256) * kMiB);
  EXPECT_THAT(machine.Leaks(), IsEmpty());
}

TEST(ShrinkTaskTest, WithoutAVmmItEndsAndSaysSo) {
  FakeMachine machine;
  machine.AddDimm(256 * kMiB);
  machine.vmm_up = false;
  const Result result = Change(machine, 0);
  EXPECT_TRUE(absl::IsUnavailable(result.status));
}

}  // namespace
}  // namespace ballast::hotplug
