// Changes of plugged memory that something comes in between: a rule, an operator, an answer that is late.
#include <gmock/gmock.h>

#include "tests/host-bridge/control/machine_fixture.h"

namespace ballast::control {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ResizeMeetsRulesTest : public MachineTest {
 protected:
  std::shared_ptr<ResizeTicket> Ask(int64_t size) {
    const auto ticket = std::make_shared<ResizeTicket>("db", size, false);
    EXPECT_TRUE(resizes_.Put(ticket));
    return ticket;
  }
  // A guest of 512 MiB and two DIMMs of 256 MiB that shall lose both, and is held up by so many stalls.
  std::shared_ptr<ResizeTicket> BeginToUnplugBoth(int stalls) {
    Manage();
    machine_.AddDimm(256 * kMiB);
    machine_.AddDimm(256 * kMiB);
    used_ = 300 * kMiB;
    Run(Seconds(2));
    machine_.stalls = stalls;
    auto ticket = Ask(512 * kMiB);
    Run(Milliseconds(500));
    return ticket;
  }
  // The last word, once it is spoken.
  static std::optional<ResizeResult> ResultOf(ResizeTicket& ticket) {
    std::optional<ResizeResult> result;
    while (auto news = ticket.Next(Nanos{0})) {
      if (const auto* last = std::get_if<ResizeResult>(&*news)) result = *last;
    }
    return result;
  }
};

TEST_F(ResizeMeetsRulesTest, TheLoopSleepsWhileAnAnswerIsAwaited) {
  Manage();
  used_ = 480 * kMiB;
  hands_.answers_orders = false;
  Run(Seconds(2));
  ASSERT_THAT(lines_, Contains(HasSubstr("[rule 9")));
  EXPECT_LE(RoundsIn(Seconds(10)), 11) << "a round a tick";
}

TEST_F(ResizeMeetsRulesTest, TheLoopSleepsWhileAResizeAwaitsAnAnswer) {
  Manage();
  hands_.answers_orders = false;
  const auto ticket = Ask(kGiB);
  Run(Milliseconds(100));
  EXPECT_LE(RoundsIn(Seconds(10)), 101) << "a round in 100 ms";
  EXPECT_FALSE(ResultOf(*ticket));
}

// --- A guest that comes to need its memory ---

TEST_F(ResizeMeetsRulesTest, WhatWasToldToBeCalledOffIsCalledOff) {
  Manage();
  machine_.AddDimm(256 * kMiB);
  machine_.AddDimm(256 * kMiB);
  hands_.balloon = 128 * kMiB;
  used_ = 300 * kMiB;
  Run(Seconds(2));
  machine_.stalls = 2;  // so that the unplugging lasts
  const auto ticket = Ask(384 * kMiB);
  Run(Milliseconds(500));
  used_ = 870 * kMiB;  // of 896: what the balloon holds is given
  Run(Milliseconds(200));
  const auto result = ResultOf(*ticket);
  ASSERT_TRUE(result);
  EXPECT_TRUE(absl::IsAborted(result->status)) << result->status;
  used_ = 300 * kMiB;
  Run(Seconds(12));
  EXPECT_THAT(machine_.DimmIds(), SizeIs(2));
  EXPECT_THAT(machine_.Leaks(), IsEmpty());
  // It leaves no trace: the operator may ask again, and then it is done.
  const auto again = Ask(512 * kMiB);
  Run(Seconds(30));
  const auto second = ResultOf(*again);
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->status.ok()) << second->status;
  EXPECT_EQ(Size(), 512 * kMiB);
}

TEST_F(ResizeMeetsRulesTest, AnAgentThatIsStillAtItIsCalledOff) {
  const auto ticket = BeginToUnplugBoth(1);
  hands_.answers_orders = false;  // when it is asked again
  Run(Seconds(3));
  EXPECT_THAT(hands_.called_off, IsEmpty());
  used_ = 974 * kMiB;
  Run(Milliseconds(500));
  EXPECT_THAT(hands_.called_off, SizeIs(1));
  EXPECT_FALSE(ResultOf(*ticket)) << "what the agent has done is still to be told";
}

TEST_F(ResizeMeetsRulesTest, AGuestWithoutABalloonKeepsWhatItNeeds) {
  const auto ticket = BeginToUnplugBoth(2);
  used_ = 974 * kMiB;  // of 1024: pressed, and not yet in need of more than it has
  Run(Milliseconds(500));
  EXPECT_THAT(lines_, Contains(AllOf(HasSubstr("[rule 9"), HasSubstr("plugged 0B -> 512MiB"))));
  const auto result = ResultOf(*ticket);
  ASSERT_TRUE(result);
  EXPECT_TRUE(absl::IsAborted(result->status)) << result->status;
  EXPECT_EQ(result->size_bytes, kGiB);
  EXPECT_EQ(Size(), kGiB);
  EXPECT_THAT(machine_.Leaks(), IsEmpty());
}

// --- A rule that plugs while the operator's balloon moves ---

TEST_F(ResizeMeetsRulesTest, TheEndOfARulesChangeIsNotTheResizes) {
  Manage();
  hands_.balloon = 128 * kMiB;
  used_ = 300 * kMiB;
  Run(Seconds(2));
  hands_.balloon_sticks = true;
  const auto ticket = Ask(2048 * kMiB);
  Run(Milliseconds(100));
  hands_.balloon = 64 * kMiB;
  used_ = 440 * kMiB;  // of 448
  Run(Milliseconds(100));
  hands_.balloon = 0;
  used_ = 505 * kMiB;  // of 512: rule 9 plugs in the round in which the balloon's step ends
  Run(Seconds(30));
  ASSERT_THAT(lines_, Contains(HasSubstr("[rule 9")));
  const auto result = ResultOf(*ticket);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->status.ok()) << result->status;
  EXPECT_EQ(result->size_bytes, 2048 * kMiB);
  EXPECT_EQ(Size(), 2048 * kMiB);
  EXPECT_THAT(machine_.Leaks(), IsEmpty());
}

// --- The desk ---

TEST_F(ResizeMeetsRulesTest, EachChangeHasItsTicketAndTheLastTargetWins) {
  PlugDesk desk(&hands_, &hands_);
  std::vector<PlugDesk::Ended> ended;
  const auto step = [&] {
    Tell();
    desk.Take(mailbox_.Take());
    if (const auto one = desk.Step(clock_.now)) ended.push_back(*one);
    clock_.now = clock_.now + Milliseconds(50);
  };
  EXPECT_EQ(desk.Want(256 * kMiB, clock_.now), 0u) << "nobody has said yet what there is";
  step();
  const uint64_t first = desk.Want(256 * kMiB, clock_.now);
  EXPECT_EQ(desk.Want(256 * kMiB, clock_.now), first) << "it is on the way";
  step();
  const uint64_t second = desk.Want(512 * kMiB, clock_.now);
  EXPECT_TRUE(desk.IsUnderWay(first) && desk.IsUnderWay(second));
  const uint64_t third = desk.Want(256 * kMiB, clock_.now);
  EXPECT_FALSE(desk.IsUnderWay(second));
  EXPECT_NE(third, first) << "that one is called off already";
  for (int i = 0; i < 100; ++i) step();
  ASSERT_THAT(ended, SizeIs(2));
  EXPECT_EQ(ended[0].ticket, first);
  EXPECT_TRUE(absl::IsAborted(ended[0].result.status)) << ended[0].result.status;
  EXPECT_EQ(ended[1].ticket, third);
  EXPECT_TRUE(ended[1].result.status.ok()) << ended[1].result.status;
  EXPECT_EQ(Size(), (512 + 256) * kMiB);
}

}  // namespace
}  // namespace ballast::control
