#include "guest-agent/blocks/block_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <utility>

#include "tests/guest-agent/blocks/block_guest.h"

namespace ballast::agent {
namespace {

using kernel::BlockAction;
using kernel::BlockState;
using kernel::ZoneKind;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class BlockKeeperTest : public ::testing::Test {
 protected:
  void Start(std::optional<ZoneChoice> online = ZoneChoice::kAuto, bool with_events = true) {
    Start(online, with_events, clock_);
  }
  void Start(std::optional<ZoneChoice> online, bool with_events, const Clock& clock) {
    auto keeper = BlockKeeper::Open({.root = guest_.Root(),
                                     .online = online,
                                     .page_size_bytes = 4096,
                                     .on_thread_start = {},
                                     .kernel = onlining_ ? &*onlining_ : nullptr},
                                    with_events ? guest_.Events() : nullptr, guest_, clock);
    ASSERT_TRUE(keeper.ok()) << keeper.status();
    keeper_ = *std::move(keeper);
    EXPECT_EQ(keeper_->SteerKernel().ok(), onlining_.has_value() && online.has_value());
    const auto started = keeper_->Start([this](const std::vector<BlockRange>& ranges) {
      const std::lock_guard lock(mutex_);
      told_.insert(told_.end(), ranges.begin(), ranges.end());
    });
    ASSERT_TRUE(started.ok()) << started;
  }
  std::vector<BlockRange> Told() {
    const std::lock_guard lock(mutex_);
    return told_;
  }
  void Add(int64_t number) {
    guest_.AddBlock(number, "offline");
    guest_.Send(BlockAction::kAdd, number);
  }
  bool ComesOnline(int64_t number) {
    return BlockGuest::Eventually([&] { return guest_.State(number) == "online\n"; });
  }
  // Long enough for a change to be told.
  static void Settle() { std::this_thread::sleep_for(std::chrono::milliseconds(250)); }

  BlockGuest guest_;
  SystemClock clock_;
  std::mutex mutex_;
  std::vector<BlockRange> told_;
  std::optional<KernelOnlining> onlining_;  // absent: the kernel brings nothing online by itself
  std::unique_ptr<BlockKeeper> keeper_;
};

// The kernel's own onlining, told what to do by the keeper.
class KernelsOnliningTest : public BlockKeeperTest {
 protected:
  KernelsOnliningTest() { onlining_.emplace(FileReader(guest_.Root())); }
  bool Becomes(const std::string& policy) {
    return BlockGuest::Eventually([&] { return guest_.KernelPolicy() == policy; });
  }
  bool Tells(const BlockRange& range) {
    return BlockGuest::Eventually([&] { return std::ranges::count(Told(), range) == 1; });
  }
};

TEST_F(BlockKeeperTest, ANewBlockComesOnlineAndIsToldWhenItHasSettled) {
  Start();
  Add(32);
  Add(33);
  ASSERT_TRUE(BlockGuest::Eventually([&] { return !Told().empty(); }));
  EXPECT_THAT(Told(), ElementsAre(BlockRange{32, 2, BlockState::kOnline, ZoneKind::kMovable}))
      << "one message, and none of it being offline";
  EXPECT_EQ(keeper_->Table().Sums().movable_bytes, 2 * kTestBlock);
  EXPECT_TRUE(keeper_->Table().Find(32)->plugged);
  EXPECT_EQ(guest_.helpers, 1) << "the warm one";
}

TEST_F(BlockKeeperTest, WhatIsOfflineAtTheStartComesBack) {
  guest_.AddBlock(32, "offline");
  Start(ZoneChoice::kKernel);
  EXPECT_TRUE(ComesOnline(32));
  EXPECT_THAT(guest_.Writes(), ElementsAre("32 online_kernel"));
  EXPECT_FALSE(keeper_->Table().Find(1)->plugged);
}

TEST_F(BlockKeeperTest, ToldToLeaveThemItLeavesThemAndTellsOfThem) {
  guest_.AddBlock(32, "offline");
  Start(std::nullopt);
  Add(33);
  ASSERT_TRUE(BlockGuest::Eventually([&] { return !Told().empty(); }));
  EXPECT_THAT(Told(), ElementsAre(BlockRange{33, 1, BlockState::kOffline, std::nullopt}));
  EXPECT_THAT(guest_.Writes(), IsEmpty());
  EXPECT_EQ(guest_.helpers, 0);
}

TEST_F(BlockKeeperTest, ABlockThatSomebodyTookOfflineStaysOffline) {
  guest_.AddBlock(32, "online", "Movable");
  Start();
  guest_.AddBlock(32, "offline");
  guest_.Send(BlockAction::kOffline, 32);
  ASSERT_TRUE(BlockGuest::Eventually([&] { return !Told().empty(); }));
  EXPECT_THAT(guest_.Writes(), IsEmpty());
  EXPECT_EQ(keeper_->Table().Sums().offline_bytes, kTestBlock);
}

TEST_F(BlockKeeperTest, ARollBackOfTheKernelIsNotTold) {
  guest_.AddBlock(32, "online", "Movable");
  Start();
  guest_.AddBlock(32, "offline");
  guest_.Send(BlockAction::kOffline, 32);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  guest_.AddBlock(32, "online", "Movable");
  guest_.Send(BlockAction::kOnline, 32);
  Settle();
  EXPECT_THAT(Told(), IsEmpty());
  EXPECT_EQ(keeper_->Table().Sums().offline_bytes, 0);
}

TEST_F(BlockKeeperTest, WhatTheKernelBroughtOnlineItselfIsAFact) {
  Start();
  guest_.AddBlock(32, "online", "Normal");
  guest_.Send(BlockAction::kAdd, 32);
  ASSERT_TRUE(BlockGuest::Eventually([&] { return !Told().empty(); }));
  EXPECT_THAT(Told(), ElementsAre(BlockRange{32, 1, BlockState::kOnline, ZoneKind::kNormal}));
  EXPECT_THAT(guest_.Writes(), IsEmpty());
}

TEST_F(BlockKeeperTest, LostEventsMeanASearch) {
  guest_.AddBlock(40, "online", "Movable");
  Start();
  guest_.AddBlock(32, "offline");
  guest_.RemoveBlock(40);
  guest_.AddBlock(3, "offline");
  guest_.LoseEvents();
  EXPECT_TRUE(ComesOnline(32));
  ASSERT_TRUE(BlockGuest::Eventually([&] { return Told().size() == 3; }));
  EXPECT_THAT(Told(), Contains(BlockRange{40, 1, std::nullopt, std::nullopt}));
  EXPECT_EQ(guest_.State(3), "offline\n") << "it was there before: somebody took it offline";
}

TEST_F(BlockKeeperTest, WithoutEventsItSearchesEverySecond) {
  Start(ZoneChoice::kAuto, /*with_events=*/false);
  guest_.AddBlock(32, "offline");
  EXPECT_TRUE(ComesOnline(32));
}

TEST_F(BlockKeeperTest, ARefusalIsCountedAndTriedAgain) {
  std::atomic<bool> refuse = true;
  guest_.kernel = [&](int64_t number, const std::string& text) -> std::optional<int> {
    return refuse ? ENOMEM : guest_.Obey(number, text);
  };
  Start();
  Add(32);
  EXPECT_TRUE(BlockGuest::Eventually([&] { return keeper_->Table().Sums().failed_bytes == kTestBlock; }));
  Settle();
  EXPECT_THAT(guest_.Writes(), SizeIs(1)) << "not at once";
  refuse = false;
  EXPECT_TRUE(ComesOnline(32));
  EXPECT_TRUE(BlockGuest::Eventually([&] { return keeper_->Table().Sums().failed_bytes == 0; }));
}

TEST_F(BlockKeeperTest, AHelperThatCannotBeHadIsWaitedFor) {
  guest_.no_helpers = true;
  Start();
  Add(32);
  Settle();
  EXPECT_EQ(guest_.State(32), "offline\n");
  guest_.no_helpers = false;
  EXPECT_TRUE(ComesOnline(32));
}

TEST_F(BlockKeeperTest, WhatWasToBeUnpluggedAndIsStillThereComesBack) {
  guest_.AddBlock(32, "offline");
  guest_.AddBlock(33, "offline");
  Start(std::nullopt);
  keeper_->PutBackAt(32, /*movable=*/true, clock_.Now() + Milliseconds(150));
  keeper_->PutBackAt(33, /*movable=*/true, clock_.Now() + Milliseconds(150));
  guest_.RemoveBlock(33);
  guest_.Send(BlockAction::kRemove, 33);
  Settle();
  EXPECT_TRUE(ComesOnline(32));
  EXPECT_THAT(guest_.Writes(), ElementsAre("32 online_movable"));
}

TEST_F(BlockKeeperTest, ABlockThatIsPluggedAgainHasNothingToComeBackFrom) {
  guest_.AddBlock(32, "offline");
  Start(std::nullopt);
  keeper_->PutBackAt(32, true, clock_.Now() + Milliseconds(400));
  guest_.Send(BlockAction::kRemove, 32);
  guest_.Send(BlockAction::kAdd, 32);
  for (int i = 0; i < 3; ++i) Settle();
  EXPECT_THAT(guest_.Writes(), IsEmpty());
  EXPECT_TRUE(keeper_->Table().Find(32)->plugged);
}

TEST_F(BlockKeeperTest, AnEventThatAddsWhatIsThereEndsNoLease) {
  guest_.AddBlock(32, "online", "Movable");
  guest_.AddBlock(33, "online", "Movable");
  Start();
  for (const int64_t number : {32, 33}) {
    guest_.AddBlock(number, "offline");
    guest_.Send(BlockAction::kOffline, number);
  }
  ASSERT_TRUE(
      BlockGuest::Eventually([&] { return keeper_->Table().Sums().offline_bytes == 2 * kTestBlock; }));
  keeper_->PutBackAt(32, /*movable=*/true, clock_.Now() + Seconds(60));
  keeper_->PutBackAt(33, /*movable=*/true, clock_.Now() + Milliseconds(500));
  guest_.Send(BlockAction::kAdd, 32);
  guest_.Send(BlockAction::kAdd, 33);
  Settle();
  EXPECT_THAT(guest_.Writes(), IsEmpty());
  EXPECT_FALSE(keeper_->Table().Find(32)->plugged);
  EXPECT_TRUE(ComesOnline(33)) << "when its lease ends, not never";
  EXPECT_THAT(guest_.Writes(), ElementsAre("33 online_movable"));
}

TEST_F(BlockKeeperTest, AnEventOfABlockThatIsGoneIsItsEnd) {
  guest_.AddBlock(32, "online", "Movable");
  Start();
  guest_.RemoveBlock(32);
  guest_.Send(BlockAction::kAdd, 32);
  ASSERT_TRUE(BlockGuest::Eventually([&] { return !Told().empty(); }));
  EXPECT_THAT(Told(), ElementsAre(BlockRange{32, 1, std::nullopt, std::nullopt}));
  EXPECT_THAT(guest_.Writes(), Not(Contains("32 online_movable")));
}

TEST_F(BlockKeeperTest, StopsWhileTheKernelHoldsAWriteUp) {
  guest_.kernel = [](int64_t, const std::string&) { return std::optional<int>(); };
  Start();
  Add(32);
  ASSERT_TRUE(BlockGuest::Eventually([&] { return !guest_.Writes().empty(); }));
  const auto began = std::chrono::steady_clock::now();
  keeper_->Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(1));
}

TEST_F(BlockKeeperTest, TenThousandBlocksArePluggedIntoAGuestOfTenThousand) {
  for (int64_t number = 100; number < 10'100; ++number) guest_.AddBlock(number, "online", "Normal");
  Start(ZoneChoice::kMovable);
  for (int64_t number = 20'000; number < 20'200; ++number) guest_.AddBlock(number, "offline");
  guest_.LoseEvents();
  ASSERT_TRUE(
      BlockGuest::Eventually([&] { return keeper_->Table().Sums().movable_bytes == 200 * kTestBlock; }));
  ASSERT_TRUE(BlockGuest::Eventually([&] { return !Told().empty(); }));
  EXPECT_EQ(keeper_->Table().Sums().online_bytes, 10'204 * kTestBlock);
  EXPECT_EQ(RangesOf(keeper_->Table().All()).size(), 4u);
}

TEST_F(KernelsOnliningTest, WhatTheKernelDoesIsToldAndCounted) {
  Start();
  EXPECT_EQ(guest_.KernelPolicy(), "online_movable") << "before anything is plugged";
  guest_.Plug(32, 3);
  EXPECT_TRUE(Tells({32, 3, BlockState::kOnline, ZoneKind::kMovable}));
  EXPECT_EQ(keeper_->Table().Sums().movable_bytes, 3 * kTestBlock);
  EXPECT_TRUE(keeper_->Table().Find(32)->plugged);
  EXPECT_THAT(guest_.Writes(), IsEmpty()) << "nothing is left to do";
}

TEST_F(KernelsOnliningTest, ABlockTheKernelLeavesOfflineIsTheAgents) {
  Start();
  Add(32);
  EXPECT_TRUE(ComesOnline(32));
  EXPECT_THAT(guest_.Writes(), ElementsAre("32 online_movable"));
}

TEST_F(KernelsOnliningTest, ADeviceBeyondTheShareOfMovableGivesThatToTheKernel) {
  Start();
  // The kernel's zones have 4 blocks: 12 may be Movable, and 16 of 17 if one of them becomes theirs.
  guest_.SetZones(512, 400, 17 * 128);
  guest_.Plug(32, 17);
  EXPECT_TRUE(Tells({34, 15, BlockState::kOnline, ZoneKind::kMovable}));
  EXPECT_TRUE(Tells({32, 2, BlockState::kOnline, ZoneKind::kNormal}));
  EXPECT_THAT(guest_.Writes(),
              ElementsAre("32 offline", "32 online_kernel", "33 offline", "33 online_kernel"));
}

TEST_F(KernelsOnliningTest, ABlockThatDoesNotMoveIsPassedOver) {
  guest_.kernel = [&](int64_t number, const std::string& text) -> std::optional<int> {
    return number == 32 ? EBUSY : guest_.Obey(number, text);
  };
  Start();
  guest_.SetZones(512, 400, 13 * 128);
  guest_.Plug(32, 13);
  EXPECT_TRUE(Tells({33, 1, BlockState::kOnline, ZoneKind::kNormal}));
  EXPECT_EQ(guest_.Zones(32), "Movable\n");
}

TEST_F(KernelsOnliningTest, HalfWayThroughADeviceItIsToldNothingElse) {
  class StoppedClock final : public Clock {
   public:
    [[nodiscard]] MonotonicTime Now() const override { return MonotonicTime{} + Seconds(1); }
  };
  const StoppedClock stopped;  // however long this takes, the kernel's time is not over
  Start(ZoneChoice::kAuto, /*with_events=*/true, stopped);
  Add(32);
  Add(33);
  guest_.SetZones(512, 400, 12 * 128);
  guest_.AddBlock(32, "online", "Movable");
  guest_.Send(BlockAction::kOnline, 32);
  ASSERT_TRUE(BlockGuest::Eventually([&] { return keeper_->Table().Sums().movable_bytes == kTestBlock; }));
  EXPECT_EQ(guest_.KernelPolicy(), "online_movable");
  guest_.AddBlock(33, "online", "Movable");
  guest_.Send(BlockAction::kOnline, 33);
  EXPECT_TRUE(Becomes("offline"));
  keeper_->Stop();  // before its clock
}

TEST_F(KernelsOnliningTest, ItIsStoppedWhereMovableHasItsShareAndLetGoWhereNot) {
  Start();
  guest_.SetZones(512, 400, 12 * 128);
  guest_.Plug(32, 1);
  ASSERT_TRUE(Becomes("offline"));
  guest_.Plug(33, 1);
  EXPECT_TRUE(BlockGuest::Eventually([&] { return guest_.Zones(33) == "Normal\n"; }));
  guest_.SetZones(512, 400, 11 * 128);
  keeper_->Note(32, std::nullopt);  // a call has seen it leave
  EXPECT_TRUE(Becomes("online_movable"));
}

TEST_F(KernelsOnliningTest, AChoiceIsTheKernelsAsWell) {
  guest_.SetZones(512, 400, 90 * 128);
  Start(ZoneChoice::kKernel);
  guest_.Plug(32, 2);
  EXPECT_TRUE(Tells({32, 2, BlockState::kOnline, ZoneKind::kNormal}));
  EXPECT_THAT(guest_.Writes(), IsEmpty());
}

TEST_F(KernelsOnliningTest, ToldToLeaveThemItLeavesTheKernelAlone) {
  guest_.Put("/sys/devices/system/memory/auto_online_blocks", "online\n");
  onlining_.emplace(FileReader(guest_.Root()));
  Start(std::nullopt);
  guest_.Plug(32, 1);
  EXPECT_TRUE(Tells({32, 1, BlockState::kOnline, ZoneKind::kNormal}));
  EXPECT_EQ(guest_.KernelPolicy(), "online");
}

TEST_F(KernelsOnliningTest, SomebodyElsesPolicyIsSeenAtOnce) {
  Start();
  guest_.Put("/sys/devices/system/memory/auto_online_blocks", "offline\n");
  guest_.Plug(32, 1);
  EXPECT_TRUE(ComesOnline(32));
  EXPECT_THAT(guest_.Writes(), ElementsAre("32 online_movable"));
}

}  // namespace
}  // namespace ballast::agent
