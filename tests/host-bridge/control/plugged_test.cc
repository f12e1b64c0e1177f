// Plugged memory through the whole loop: decided, carried out over both sides of the VM's border, counted.
#include <gmock/gmock.h>

#include "common/base/text.h"
#include "host-bridge/hotplug/growth.h"
#include "tests/host-bridge/control/machine_fixture.h"

namespace ballast::control {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class PluggedTest : public MachineTest {
 protected:
  // Everything the resize was told, in order.
  std::vector<ResizeNews> Resize(int64_t size, bool dry_run = false, Nanos span = Seconds(30)) {
    const auto ticket = std::make_shared<ResizeTicket>("db", size, dry_run);
    EXPECT_TRUE(resizes_.Put(ticket));
    Run(span);
    std::vector<ResizeNews> all;
    while (auto news = ticket->Next(Nanos{0})) all.push_back(*std::move(news));
    return all;
  }
  static ResizeResult ResultOf(const std::vector<ResizeNews>& news) {
    const auto* result = news.empty() ? nullptr : std::get_if<ResizeResult>(&news.back());
    return result != nullptr ? *result : ResizeResult{-1, absl::InternalError("it has no result"), {}};
  }
};

TEST_F(PluggedTest, AGuestThatOutgrowsItsBootMemoryIsGivenMore) {
  Manage();
  used_ = 480 * kMiB;
  Run(Seconds(5));
  EXPECT_GT(Size(), 512 * kMiB);
  EXPECT_THAT(lines_, Contains(HasSubstr("[rule 9")));
  EXPECT_THAT(lines_, Contains(HasSubstr("plugged memory: 0B -> ")));
  EXPECT_THAT(machine_.Leaks(), IsEmpty());
}

TEST_F(PluggedTest, WhatIsNotNeededForLongLeavesAgain) {
  Manage();
  used_ = 480 * kMiB;
  Run(Seconds(5));
  ASSERT_GT(Size(), 512 * kMiB);
  used_ = 50 * kMiB;
  Run(Seconds(3600));
  EXPECT_EQ(hotplug::RequestedBytes(machine_.devices), 0);
  EXPECT_THAT(lines_, Contains(HasSubstr("[rule 10")));
  EXPECT_THAT(machine_.Leaks(), IsEmpty());
}

// By slots and space DIMMs of 256 MiB would do; this guest would take none of them.
TEST_F(PluggedTest, AGuestOfLargeBlocksIsGivenWholeOnes) {
  Manage();
  mailbox_.OnIdentity({.boot_id = "b",
                       .generation = 1,
                       .agent_version = "1",
                       .kernel_release = "6.1",
                       .block_bytes = kGiB,
                       .lacks = ""});
  used_ = 480 * kMiB;
  Run(Seconds(5));
  ASSERT_EQ(machine_.devices.devices.size(), 1u);
  EXPECT_EQ(machine_.devices.devices[0].size_bytes, kGiB);
  EXPECT_EQ(ResultOf(Resize(2 * kGiB)).size_bytes, 2 * kGiB + 512 * kMiB);
  EXPECT_THAT(machine_.Leaks(), IsEmpty());
}

TEST_F(PluggedTest, WhatAnEarlierBridgeLeftBehindIsRemoved) {
  machine_.devices.orphans = {"ballast-mem-3"};
  Manage();
  EXPECT_THAT(machine_.devices.orphans, IsEmpty());
}

TEST_F(PluggedTest, ADryRunPlugsNothing) {
  settings_.dry_run = true;
  Manage();
  used_ = 480 * kMiB;
  Run(Seconds(5));
  EXPECT_EQ(Size(), 512 * kMiB);
  EXPECT_THAT(lines_, Contains(HasSubstr("[dry run]")));
}

TEST_F(PluggedTest, ARefusedUnplugIsSaidWithItsBlocks) {
  Manage();
  machine_.AddDimm(256 * kMiB);
  machine_.unmovable = {4 * kGiB + hotplug::kBlock};
  const ResizeResult result = ResultOf(Resize(512 * kMiB));
  EXPECT_EQ(result.size_bytes, 768 * kMiB);
  EXPECT_THAT(std::string(result.status.message()), HasSubstr("cannot go offline"));
  ASSERT_EQ(result.refused.size(), 1u);
  EXPECT_THAT(lines_, Contains(HasSubstr("; block at 0x108000000: pages in it cannot be moved")))
      << "exactly";
  EXPECT_THAT(machine_.Leaks(), IsEmpty());
}

// --- An operator's resize ---

TEST_F(PluggedTest, AResizeGrowsByWhatThereIs) {
  Manage();
  const auto news = Resize(kGiB);
  ASSERT_GE(news.size(), 2u);
  const auto* plan = std::get_if<policy::ResizePlan>(&news.front());
  ASSERT_NE(plan, nullptr);
  EXPECT_EQ(plan->from_bytes, 512 * kMiB);
  EXPECT_EQ(plan->to_bytes, kGiB);
  EXPECT_TRUE(ResultOf(news).status.ok()) << ResultOf(news).status;
  EXPECT_EQ(ResultOf(news).size_bytes, kGiB);
  EXPECT_EQ(Size(), kGiB);
}

TEST_F(PluggedTest, AResizeShrinksByBalloonWhereNothingIsPlugged) {
  Manage();
  const ResizeResult result = ResultOf(Resize(384 * kMiB, false, Seconds(2)));
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.size_bytes, 384 * kMiB);
  EXPECT_EQ(hands_.balloon, 128 * kMiB);
}

TEST_F(PluggedTest, ASizeThatABalloonCannotMakeIsRoundedAndSaid) {
  Manage();
  const auto news = Resize(384 * kMiB + 4097, false, Seconds(2));
  const auto* plan = std::get_if<policy::ResizePlan>(&news.front());
  ASSERT_NE(plan, nullptr);
  EXPECT_EQ(plan->to_bytes, 385 * kMiB);
  EXPECT_EQ(plan->limit, "a balloon moves in units of 1MiB");
  EXPECT_EQ(ResultOf(news).size_bytes, 385 * kMiB);
}

TEST_F(PluggedTest, WhatTheVmHasNoRoomForIsNotCalledItsCeiling) {
  Manage();
  const auto news = Resize(1024 * kGiB, /*dry_run=*/true, Seconds(2));
  EXPECT_EQ(std::get<policy::ResizePlan>(news.front()).limit,
            "its VM has slots and room for no more than 4.5GiB");
}

TEST_F(PluggedTest, AResizeUnplugsBeforeItInflates) {
  Manage();
  machine_.AddDimm(256 * kMiB);
  const auto news = Resize(448 * kMiB, false, Seconds(2));
  const auto* plan = std::get_if<policy::ResizePlan>(&news.front());
  ASSERT_NE(plan, nullptr);
  ASSERT_EQ(plan->steps.size(), 2u);
  EXPECT_EQ(plan->steps[0].kind, policy::ResizeKind::kUnplug);
  EXPECT_EQ(plan->steps[1].kind, policy::ResizeKind::kBalloon);
  EXPECT_EQ(ResultOf(news).size_bytes, 448 * kMiB);
}

TEST_F(PluggedTest, WhatNoSetOfDimmsMakesUpTheBalloonTakes) {
  Manage();
  machine_.AddDimm(256 * kMiB);
  machine_.AddDimm(384 * kMiB);
  Run(Seconds(1));
  const auto news = Resize(640 * kMiB);
  const auto* plan = std::get_if<policy::ResizePlan>(&news.front());
  ASSERT_NE(plan, nullptr);
  EXPECT_EQ(plan->to_bytes, 640 * kMiB);
  ASSERT_EQ(plan->steps.size(), 2u);
  EXPECT_EQ(plan->steps[0], (policy::ResizeStep{policy::ResizeKind::kUnplug, 640 * kMiB, 256 * kMiB}));
  EXPECT_EQ(plan->steps[1], (policy::ResizeStep{policy::ResizeKind::kBalloon, 0, 128 * kMiB}));
  EXPECT_TRUE(ResultOf(news).status.ok()) << ResultOf(news).status;
  EXPECT_EQ(Size(), 640 * kMiB);
}

TEST_F(PluggedTest, WhatLeavesIsNoConsumptionOfTheGuests) {
  Manage();
  machine_.AddDimm(512 * kMiB);
  Run(Milliseconds(100));
  const auto ticket = std::make_shared<ResizeTicket>("db", 512 * kMiB, false);
  ASSERT_TRUE(resizes_.Put(ticket));
  loop_->Step();
  falls_by_ = 2 * kGiB;  // the agent's trend, for a while
  Run(Seconds(2));
  EXPECT_EQ(Size(), 512 * kMiB);
  EXPECT_THAT(lines_, Not(Contains(HasSubstr("[rule 9"))));
  // A moment later it is to grow: the trend is still the old one.
  const auto news = Resize(kGiB, /*dry_run=*/false, Milliseconds(500));
  EXPECT_TRUE(ResultOf(news).status.ok()) << ResultOf(news).status;
  EXPECT_THAT(lines_, Not(Contains(HasSubstr("[rule 9"))));
}

TEST_F(PluggedTest, ADryResizeShowsThePlanAlone) {
  Manage();
  const auto news = Resize(kGiB, /*dry_run=*/true, Seconds(2));
  ASSERT_EQ(news.size(), 1u);
  EXPECT_EQ(std::get<policy::ResizePlan>(news.front()).to_bytes, kGiB);
  EXPECT_EQ(Size(), 512 * kMiB);
}

TEST_F(PluggedTest, AResizeBeyondTheCeilingStopsThere) {
  policy::GuestLimits limits;
  limits.ceiling_bytes = 768 * kMiB;
  Manage(limits);
  const auto news = Resize(4 * kGiB);
  EXPECT_EQ(std::get<policy::ResizePlan>(news.front()).limit, "its ceiling is 768MiB");
  EXPECT_EQ(Size(), 768 * kMiB);
}

TEST_F(PluggedTest, AResizeThatIsOverBeforeItsFirstOrderIsAnswered) {
  slots_taken_ = true;
  Manage();
  const ResizeResult full = ResultOf(Resize(kGiB));
  EXPECT_TRUE(absl::IsResourceExhausted(full.status)) << full.status;
  EXPECT_EQ(full.size_bytes, 512 * kMiB);
  EXPECT_THAT(lines_, Contains(HasSubstr("nothing more can be plugged")));
  slots_taken_ = false;
  EXPECT_TRUE(ResultOf(Resize(kGiB)).status.ok());
  EXPECT_EQ(Size(), kGiB);
}

TEST_F(PluggedTest, AResizeTakesNothingOfTheHostsReserve) {
  host_available_ = 1700 * kMiB;  // 10 % of 16 GiB are its reserve: 1638.4 MiB
  Manage();
  const auto news = Resize(kGiB, /*dry_run=*/false, Seconds(2));
  EXPECT_THAT(std::get<policy::ResizePlan>(news.front()).limit, HasSubstr("the host can spare"));
  EXPECT_EQ(Size(), 512 * kMiB);
}

TEST_F(PluggedTest, AGuestThatNeedsItsMemoryEndsAShrinking) {
  Manage();
  hands_.balloon_sticks = true;
  const auto ticket = std::make_shared<ResizeTicket>("db", 256 * kMiB, false);
  ASSERT_TRUE(resizes_.Put(ticket));
  Run(Milliseconds(200));
  hands_.balloon_sticks = false;
  hands_.balloon = 128 * kMiB;
  used_ = 380 * kMiB;
  Run(Seconds(1));
  std::optional<ResizeNews> last;
  while (auto news = ticket->Next(Nanos{0})) last = news;
  ASSERT_TRUE(last && std::holds_alternative<ResizeResult>(*last));
  EXPECT_TRUE(absl::IsAborted(std::get<ResizeResult>(*last).status));
  EXPECT_EQ(hands_.balloon, 0);
}

TEST_F(PluggedTest, AnUnknownGuestIsNamedWithThoseThereAre) {
  Manage();
  const auto ticket = std::make_shared<ResizeTicket>("web", kGiB, false);
  ASSERT_TRUE(resizes_.Put(ticket));
  Run(Milliseconds(100));
  const auto news = ticket->Next(Nanos{0});
  ASSERT_TRUE(news && std::holds_alternative<ResizeRefusal>(*news));
  EXPECT_EQ(MessageOf(std::get<ResizeRefusal>(*news).status), "no guest 'web'; there are: db");
}

TEST_F(PluggedTest, ANameThatIsNoNameIsShownHarmlessly) {
  Manage();
  const auto ticket = std::make_shared<ResizeTicket>("a\x1b[2J\n'" + std::string(1000, 'x'), kGiB, false);
  ASSERT_TRUE(resizes_.Put(ticket));
  Run(Milliseconds(100));
  const auto news = ticket->Next(Nanos{0});
  ASSERT_TRUE(news && std::holds_alternative<ResizeRefusal>(*news));
  EXPECT_EQ(MessageOf(std::get<ResizeRefusal>(*news).status),
            "no guest 'a\\x1b[2J\\n\\'" + std::string(57, 'x') + "...'; there are: db");
}

TEST_F(PluggedTest, OneResizeAtATime) {
  Manage();
  hands_.balloon_sticks = true;
  ASSERT_TRUE(resizes_.Put(std::make_shared<ResizeTicket>("db", 384 * kMiB, false)));
  Run(Milliseconds(100));
  const auto second = std::make_shared<ResizeTicket>("db", 400 * kMiB, false);
  ASSERT_TRUE(resizes_.Put(second));
  Run(Milliseconds(100));
  const auto news = second->Next(Nanos{0});
  ASSERT_TRUE(news && std::holds_alternative<ResizeRefusal>(*news));
  EXPECT_TRUE(absl::IsAborted(std::get<ResizeRefusal>(*news).status));
}

TEST_F(PluggedTest, ABalloonThatStandsStillEndsAResize) {
  Manage();
  hands_.balloon_sticks = true;
  const ResizeResult result = ResultOf(Resize(384 * kMiB, false, Seconds(30)));
  EXPECT_FALSE(result.status.ok());
  EXPECT_EQ(result.size_bytes, 512 * kMiB);
}

// --- What operators see ---

TEST_F(PluggedTest, TheBoardShowsTheGuestAndItsDevices) {
  Manage();
  machine_.AddDimm(256 * kMiB);
  Run(Milliseconds(100));
  const StatusBoard::View view = board_.Look(0);
  ASSERT_EQ(view.guests.size(), 1u);
  const GuestStatus& guest = view.guests[0];
  EXPECT_EQ(guest.name, "db");
  ASSERT_TRUE(guest.vmm && guest.vmm->plugged);
  EXPECT_EQ(guest.vmm->size_bytes, 768 * kMiB);
  EXPECT_EQ(guest.vmm->boot_bytes, 512 * kMiB);
  EXPECT_EQ(guest.vmm->plugged->plugged_bytes, 256 * kMiB);
  EXPECT_THAT(guest.vmm->plugged->devices, Not(IsEmpty()));
  EXPECT_THAT(board_.Look(view.version).guests, IsEmpty());
}

}  // namespace
}  // namespace ballast::control
