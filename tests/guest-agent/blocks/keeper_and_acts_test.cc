// The keeper and an order that change blocks at the same time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <optional>
#include <utility>

#include "guest-agent/blocks/block_acts.h"
#include "tests/guest-agent/blocks/block_guest.h"

namespace ballast::agent {
namespace {

using kernel::BlockAction;

class KeeperAndActsTest : public ::testing::Test {
 protected:
  void Start() {
    auto keeper = BlockKeeper::Open({.root = guest_.Root(),
                                     .online = ZoneChoice::kAuto,
                                     .page_size_bytes = 4096,
                                     .on_thread_start = {},
                                     .kernel = &onlining_},
                                    guest_.Events(), guest_, clock_);
    ASSERT_TRUE(keeper.ok()) << keeper.status();
    keeper_ = *std::move(keeper);
    acts_.emplace(BlockActs::Options{guest_.Root(), 4096, {}}, *keeper_, guest_, clock_);
    ASSERT_TRUE(keeper_->SteerKernel().ok());
    const auto started = keeper_->Start([this](const std::vector<BlockRange>& ranges) {
      const std::lock_guard lock(mutex_);
      told_.insert(told_.end(), ranges.begin(), ranges.end());
    });
    ASSERT_TRUE(started.ok()) << started;
  }
  absl::StatusOr<BlocksResult> Offline(int64_t number, Nanos put_back_after = {}) {
    return acts_->Offline({.ranges = {{number * kTestBlock, kTestBlock}}, .put_back_after = put_back_after},
                          {.brake_permyriad = 10'000});
  }
  bool BecomesTheKernels(int64_t number) {
    return BlockGuest::Eventually([&] { return guest_.Zones(number) == "Normal\n"; });
  }
  bool IsToldGone(int64_t number) {
    return BlockGuest::Eventually([&] {
      const std::lock_guard lock(mutex_);
      return std::ranges::count(told_, BlockRange{number, 1, std::nullopt, std::nullopt}) == 1;
    });
  }

  BlockGuest guest_;
  SystemClock clock_;
  KernelOnlining onlining_{FileReader(guest_.Root())};
  std::mutex mutex_;
  std::vector<BlockRange> told_;
  std::unique_ptr<BlockKeeper> keeper_;
  std::optional<BlockActs> acts_;
};

TEST_F(KeeperAndActsTest, AnOrderDoesNotTakeWhatTheKeeperIsMoving) {
  std::atomic<bool> moving = false;
  std::optional<absl::StatusOr<BlocksResult>> ordered;
  guest_.kernel = [&](int64_t number, const std::string& text) -> std::optional<int> {
    if (number == 32 && text == "offline" && !moving.exchange(true)) ordered = Offline(32);
    return guest_.Obey(number, text);
  };
  Start();
  guest_.SetZones(512, 400, 17 * 128);
  guest_.Plug(32, 17);  // two of them are the kernel's
  EXPECT_TRUE(BecomesTheKernels(33));
  keeper_->Stop();
  EXPECT_EQ(guest_.Zones(32), "Normal\n");
  ASSERT_TRUE(ordered.has_value() && ordered->ok());
  ASSERT_EQ((*ordered)->blocks.size(), 1u);
  EXPECT_EQ((*ordered)->blocks[0].kind, BlockResult::Kind::kFailed);
  EXPECT_EQ((*ordered)->blocks[0].error, EBUSY);
  EXPECT_EQ((*ordered)->bytes, 0);
}

TEST_F(KeeperAndActsTest, TheKeeperDoesNotMoveWhatAnOrderIsTaking) {
  guest_.AddBlock(32, "online", "Movable");
  std::atomic<bool> taking = false;
  guest_.kernel = [&](int64_t number, const std::string& text) -> std::optional<int> {
    if (number == 32 && !taking.exchange(true)) {
      // It goes, and its number comes back with a device of which the kernel gets two.
      guest_.RemoveBlock(32);
      guest_.Send(BlockAction::kRemove, 32);
      EXPECT_TRUE(IsToldGone(32));
      guest_.SetZones(512, 400, 17 * 128);
      guest_.Plug(32, 17);
      EXPECT_TRUE(BecomesTheKernels(33));
      EXPECT_TRUE(BecomesTheKernels(34));
      EXPECT_EQ(guest_.Zones(32), "Movable\n");
    }
    return guest_.Obey(number, text);
  };
  Start();
  const auto result = Offline(32);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->bytes, kTestBlock);
  EXPECT_EQ(guest_.State(32), "offline\n");
}

TEST_F(KeeperAndActsTest, AnAgentThatEndsBringsBackWhatWasLeased) {
  guest_.AddBlock(32, "online", "Movable");
  guest_.AddBlock(33, "online", "Normal");
  guest_.AddBlock(34, "online", "Movable");
  Start();
  ASSERT_TRUE(Offline(32, Seconds(60)).ok());
  ASSERT_TRUE(Offline(33, Seconds(60)).ok());
  ASSERT_TRUE(Offline(34).ok());
  keeper_->Stop();
  EXPECT_EQ(guest_.Zones(32), "Movable\n");
  EXPECT_EQ(guest_.State(32), "online\n");
  EXPECT_EQ(guest_.Zones(33), "Normal\n");
  EXPECT_EQ(guest_.State(33), "online\n");
  EXPECT_EQ(guest_.State(34), "offline\n") << "nobody asked for it to come back";
}

TEST_F(KeeperAndActsTest, AnAgentThatEndsHalfWayThroughAMoveFinishesIt) {
  std::atomic<bool> half_way = false;
  guest_.kernel = [&](int64_t number, const std::string& text) -> std::optional<int> {
    // The first try hangs until the end of the agent stops it.
    if (number == 32 && text == "online_kernel" && !half_way.exchange(true)) return std::nullopt;
    return guest_.Obey(number, text);
  };
  Start();
  guest_.SetZones(512, 400, 17 * 128);
  guest_.Plug(32, 17);
  ASSERT_TRUE(BlockGuest::Eventually([&] { return half_way.load(); }));
  EXPECT_EQ(guest_.State(32), "offline\n");
  keeper_->Stop();
  EXPECT_EQ(guest_.State(32), "online\n");
  EXPECT_EQ(guest_.Zones(32), "Normal\n");
}

TEST_F(KeeperAndActsTest, AnAgentThatCannotBringItBackEndsAllTheSame) {
  guest_.AddBlock(32, "online", "Movable");
  Start();
  ASSERT_TRUE(Offline(32, Seconds(60)).ok());
  guest_.kernel = [](int64_t, const std::string&) { return std::optional<int>(); };
  const MonotonicTime began = clock_.Now();
  keeper_->Stop();
  EXPECT_LT(clock_.Now() - began, Seconds(20)) << "2 s, on a machine that is not busy";
  EXPECT_EQ(guest_.State(32), "offline\n");
}

}  // namespace
}  // namespace ballast::agent
