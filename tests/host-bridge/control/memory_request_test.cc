// The way of a request for memory through the loop: taken from the mailbox, decided on, commanded, answered.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/host-bridge/control/loop_fixture.h"

namespace ballast::control {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A guest at ease of which 768 MiB are taken, asking for memory.
class RequestTest : public LoopTest {
 protected:
  void Ready(policy::Mode mode = policy::Mode::kFull) {
    Manage(mode, &link_);
    VmmSays(768 * kMiB);
    GuestSays(100 * kMiB);
    loop_->Step();
    ASSERT_THAT(actuator_.commands, IsEmpty());
  }
  void Ask(int64_t id, int64_t bytes, policy::Urgency urgency = policy::Urgency::kNormal) {
    mailbox_.OnMemoryRequest({id, bytes, urgency, clock_.now + Seconds(2)}, "oomd");
  }

  RememberingLink link_;
};

TEST_F(RequestTest, IsCommandedAndAnsweredOnce) {
  Ready();
  Ask(5, 100 * kMiB);
  loop_->Step();
  ASSERT_EQ(actuator_.commands.size(), 1u);
  EXPECT_EQ(actuator_.commands[0].second, 668 * kMiB);
  ASSERT_EQ(link_.answers.size(), 1u);
  EXPECT_EQ(link_.answers[0].request, 5);
  EXPECT_EQ(link_.answers[0].granted_bytes, 100 * kMiB);
  EXPECT_EQ(link_.answers[0].actuator, "balloon");
  EXPECT_EQ(link_.answers[0].reason, "");
  EXPECT_GT(link_.answers[0].eta, Milliseconds(100));
  EXPECT_THAT(lines_, Contains(HasSubstr("request 5 for memory: granted 100MiB")));
  loop_->Step();
  EXPECT_EQ(link_.answers.size(), 1u);
  EXPECT_EQ(actuator_.commands.size(), 1u);
}

TEST_F(RequestTest, SeveralAreAnsweredTheMostUrgentFirst) {
  Ready();
  Ask(1, kMiB, policy::Urgency::kLow);
  Ask(2, 2 * kMiB, policy::Urgency::kKill);
  Ask(3, 3 * kMiB, policy::Urgency::kKill);
  for (int i = 0; i < 3; ++i) loop_->Step();
  ASSERT_EQ(link_.answers.size(), 3u);
  EXPECT_EQ(link_.answers[0].request, 2);
  EXPECT_EQ(link_.answers[1].request, 3);
  EXPECT_EQ(link_.answers[2].request, 1);
  EXPECT_EQ(actuator_.commands.back().second, 762 * kMiB) << "each besides those before";
}

TEST_F(RequestTest, AFloodIsAnsweredAndTakesTwentyLinesOfTheLogAMinute) {
  Ready();
  const auto told = [&] {
    return std::count_if(lines_.begin(), lines_.end(), [](const std::string& line) {
      return line.find("for memory:") != std::string::npos;
    });
  };
  for (int id = 1; id <= 50; ++id) {
    Ask(id, kMiB, policy::Urgency::kLow);
    loop_->Step();
  }
  EXPECT_EQ(link_.answers.size(), 50u);
  EXPECT_EQ(told(), 20);
  EXPECT_THAT(lines_, Contains(HasSubstr("left out here for a minute")));
  clock_.now = clock_.now + Seconds(61);
  VmmSays(768 * kMiB);
  GuestSays(100 * kMiB);
  Ask(51, kMiB, policy::Urgency::kLow);
  loop_->Step();
  EXPECT_EQ(told(), 21);
}

TEST_F(RequestTest, OfAnObservedGuestIsRefusedWithTheReason) {
  Ready(policy::Mode::kObserve);
  Ask(5, 100 * kMiB, policy::Urgency::kKill);
  loop_->Step();
  EXPECT_THAT(actuator_.commands, IsEmpty());
  ASSERT_EQ(link_.answers.size(), 1u);
  EXPECT_EQ(link_.answers[0].granted_bytes, 0);
  EXPECT_THAT(link_.answers[0].reason, HasSubstr("observe"));
}

TEST_F(RequestTest, InADryRunNothingIsPromised) {
  settings_.dry_run = true;
  Ready();
  Ask(5, 100 * kMiB);
  loop_->Step();
  ASSERT_EQ(link_.answers.size(), 1u);
  EXPECT_EQ(link_.answers[0].granted_bytes, 0);
  EXPECT_THAT(link_.answers[0].reason, HasSubstr("dry run"));
}

TEST_F(RequestTest, OfAGuestWithoutItsVmmIsAnsweredBeforeTheDeadline) {
  Ready();
  mailbox_.OnLink(vmm::LinkState::kFailed, absl::UnavailableError("gone"));
  Ask(5, 100 * kMiB);
  loop_->Step();
  EXPECT_THAT(link_.answers, IsEmpty()) << "the VMM may answer yet";
  clock_.now = clock_.now + Milliseconds(1'750);
  loop_->Step();
  ASSERT_EQ(link_.answers.size(), 1u);
  EXPECT_THAT(link_.answers[0].reason, HasSubstr("VMM"));
}

TEST_F(RequestTest, TooManyAreRefusedAtOnce) {
  Ready();
  mailbox_.OnLink(vmm::LinkState::kFailed, absl::UnavailableError("gone"));
  for (int64_t id = 1; id <= 17; ++id) {
    Ask(id, kMiB);
    loop_->Step();
  }
  ASSERT_EQ(link_.answers.size(), 1u);
  EXPECT_EQ(link_.answers[0].request, 17);
  EXPECT_THAT(link_.answers[0].reason, HasSubstr("too many"));
  for (int64_t id = 1; id <= 100; ++id) Ask(id, kMiB);
  EXPECT_EQ(mailbox_.Take().requests.size(), 8u);
}

}  // namespace
}  // namespace ballast::control
