// Every order of every task, hit by every fault: whatever happens, the task ends, and once both sides are
// well again nothing is leaked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <tuple>

#include "common/base/text.h"
#include "host-bridge/hotplug/growth.h"
#include "tests/host-bridge/hotplug/fake_machine.h"

namespace ballast::hotplug {
namespace {

enum class Fault {
  kAgentDies,
  kVmmDies,
  kBothDie,
  kGuestRefuses,
  kAnswersLost,
  kBlockAnswerLost,
  kOrderLost,
  kCalledOff
};
constexpr std::array<std::string_view, 8> kNames{"AgentDies",    "VmmDies",     "BothDie",
                                                 "GuestRefuses", "AnswersLost", "BlockAnswerLost",
                                                 "OrderLost",    "CalledOff"};
constexpr int kOrders = 16;  // more than any of these tasks gives

class TaskFaultsTest : public ::testing::TestWithParam<std::tuple<bool, Fault, int>> {};

// An agent that starts anew brings all blocks online, and a bridge that connects anew removes orphans.
void Recover(FakeMachine& machine) {
  machine.agent_up = machine.vmm_up = machine.guest_lets_go = true;
  for (auto& [address, block] : machine.blocks) block.online = true;
  machine.devices.orphans.clear();
}

TEST_P(TaskFaultsTest, EndsAndLeaksNothing) {
  const auto [grows, fault, at] = GetParam();
  FakeMachine machine;
  if (!grows) {
    machine.AddDimm(256 * kMiB);
    machine.AddDimm(128 * kMiB);
    machine.AddVirtioMem(kGiB);
    ASSERT_TRUE(machine.Run(*MakeTask(384 * kMiB, 640 * kMiB, machine.now, 1)));
  }
  const int64_t target = grows ? kGiB : 0;
  const int64_t before = RequestedBytes(machine.devices);
  const auto task = MakeTask(before, target, machine.now, 1);
  int orders = 0;
  const bool ended = machine.Run(*task, [&](const Order&) {
    EXPECT_GT(task->NextLook(), machine.now + Seconds(3600)) << "the answer is what it waits for";
    if (orders++ != at) return;
    if (fault == Fault::kAgentDies || fault == Fault::kBothDie) machine.agent_up = false;
    if (fault == Fault::kVmmDies || fault == Fault::kBothDie) machine.vmm_up = false;
    if (fault == Fault::kGuestRefuses) machine.guest_lets_go = false;
    if (fault == Fault::kAnswersLost) machine.loses_answers = true;
    if (fault == Fault::kBlockAnswerLost)
      machine.next_block_answer = absl::UnavailableError("the link to the agent broke");
    if (fault == Fault::kOrderLost) machine.drops_next_order = true;
    if (fault == Fault::kCalledOff) task->Cancel();
  });
  ASSERT_TRUE(ended);
  const Result result = *task->result();
  // Never more than the truth: of a growth what the guest has in use, of a shrinking what is still there.
  const int64_t plugged = machine.OnlineBytes() - 512 * kMiB;
  if (grows) {
    EXPECT_LE(result.reached_bytes, plugged);
  } else if (machine.vmm_up) {
    EXPECT_EQ(result.reached_bytes, RequestedBytes(machine.devices));
  }
  if (result.status.ok()) {
    EXPECT_EQ(result.reached_bytes, target);
  }
  const bool died = fault == Fault::kAgentDies || fault == Fault::kVmmDies || fault == Fault::kBothDie;
  if (died) Recover(machine);
  EXPECT_THAT(machine.Leaks(), ::testing::IsEmpty());
}

std::string NameOf(const ::testing::TestParamInfo<std::tuple<bool, Fault, int>>& test) {
  return StrCat(std::get<0>(test.param) ? "Grow" : "Shrink",
                std::string(kNames[static_cast<size_t>(std::get<1>(test.param))]), std::get<2>(test.param));
}

INSTANTIATE_TEST_SUITE_P(EveryOrder, TaskFaultsTest,
                         ::testing::Combine(::testing::Bool(),
                                            ::testing::Values(Fault::kAgentDies, Fault::kVmmDies,
                                                              Fault::kBothDie, Fault::kGuestRefuses,
                                                              Fault::kAnswersLost, Fault::kBlockAnswerLost,
                                                              Fault::kOrderLost, Fault::kCalledOff),
                                            ::testing::Range(0, kOrders)),
                         NameOf);

}  // namespace
}  // namespace ballast::hotplug
