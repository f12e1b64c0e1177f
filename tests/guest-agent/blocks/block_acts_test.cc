#include "guest-agent/blocks/block_acts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "tests/guest-agent/blocks/block_guest.h"

namespace ballast::agent {
namespace {

using Kind = BlockResult::Kind;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Blocks 32 and 33 are Movable, 40 of the kernel's and offline is 41.
class BlockActsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    guest_.AddBlock(32, "online", "Movable");
    guest_.AddBlock(33, "online", "Movable");
    guest_.AddBlock(40, "online", "Normal");
    guest_.AddBlock(41, "offline");
    auto keeper = BlockKeeper::Open(
        {.root = guest_.Root(), .online = std::nullopt, .page_size_bytes = 4096, .on_thread_start = {}},
        guest_.Events(), guest_, clock_);
    ASSERT_TRUE(keeper.ok()) << keeper.status();
    keeper_ = *std::move(keeper);
    ASSERT_TRUE(keeper_->Start({}).ok());
    acts_.emplace(BlockActs::Options{guest_.Root(), 4096, {}}, *keeper_, guest_, clock_);
  }

  absl::StatusOr<BlocksResult> Offline(OfflineWish wish, Nanos within = Seconds(30)) {
    return acts_->Offline(wish, {.within = within, .brake_permyriad = 10'000});
  }
  // What became of the blocks: "33 done", "40 skipped: ...".
  static std::vector<std::string> Said(const absl::StatusOr<BlocksResult>& result) {
    std::vector<std::string> said;
    EXPECT_TRUE(result.ok()) << result.status();
    if (!result.ok()) return said;
    constexpr const char* kWords[] = {"", "done", "failed", "skipped", "brought back"};
    for (const BlockResult& block : result->blocks) {
      said.push_back(std::to_string(block.number) + " " + kWords[static_cast<size_t>(block.kind)] +
                     (block.zone.empty() ? "" : " " + block.zone));
    }
    return said;
  }
  static GuestRange Range(int64_t block, int64_t count = 1) {
    return {block * kTestBlock, count * kTestBlock};
  }

  BlockGuest guest_;
  SystemClock clock_;
  std::unique_ptr<BlockKeeper> keeper_;
  std::optional<BlockActs> acts_;
};

TEST_F(BlockActsTest, OfflineTakesMovableFromTheTopUntilItIsEnough) {
  const auto result = Offline({.bytes = kTestBlock - 1});
  EXPECT_THAT(Said(result), ElementsAre("32 skipped Movable", "33 done"));
  EXPECT_EQ(result->bytes, kTestBlock);
  EXPECT_EQ(result->stop, Stop::kDone);
  EXPECT_EQ(guest_.State(33), "offline\n");
  EXPECT_EQ(keeper_->Table().Sums().movable_bytes, kTestBlock) << "the table knows at once";
}

TEST_F(BlockActsTest, TheBootsMemoryGoesOnlyWhenItIsNamed) {
  EXPECT_THAT(Said(Offline({.bytes = 8 * kGiB})), ElementsAre("32 done", "33 done"));
  EXPECT_THAT(guest_.Writes(), ElementsAre("33 offline", "32 offline"));
  const auto named = Offline({.ranges = {Range(0, 3)}});
  EXPECT_THAT(Said(named), ElementsAre("0 failed none", "1 done", "2 done"));
  EXPECT_THAT(named->blocks[0].reason, HasSubstr("never leaves"));
  EXPECT_EQ(named->stop, Stop::kExhausted) << "not all of what was named";
}

TEST_F(BlockActsTest, NamedBlocksThatAreOfflineAreDone) {
  EXPECT_THAT(Said(Offline({.ranges = {Range(40, 2)}})), ElementsAre("40 done", "41 done"));
}

TEST_F(BlockActsTest, ARefusalNamesTheBlockTheErrorAndTheReason) {
  int asked = 0;
  guest_.kernel = [&](int64_t number, const std::string& text) -> std::optional<int> {
    if (number != 33) return guest_.Obey(number, text);
    ++asked;
    return EBUSY;
  };
  const auto result = Offline({.bytes = 2 * kTestBlock});
  EXPECT_THAT(Said(result), ElementsAre("32 done", "33 failed Movable"));
  EXPECT_EQ(result->blocks[1].error, EBUSY);
  EXPECT_THAT(result->blocks[1].reason, HasSubstr("cannot be moved"));
  EXPECT_EQ(result->stop, Stop::kExhausted);
  EXPECT_EQ(result->bytes, kTestBlock);
  EXPECT_EQ(asked, 3) << "pages may be held for a moment only";
}

TEST_F(BlockActsTest, OneThatIsBusyForAMomentLeavesAtTheSecondTry) {
  int asked = 0;
  guest_.kernel = [&](int64_t number, const std::string& text) -> std::optional<int> {
    return ++asked == 1 ? EBUSY : guest_.Obey(number, text);
  };
  EXPECT_THAT(Said(Offline({.ranges = {Range(33)}})), ElementsAre("33 done"));
}

TEST_F(BlockActsTest, ABlockThatSpinsIsStoppedAndOthersHaveTheirTurn) {
  guest_.kernel = [&](int64_t number, const std::string& text) -> std::optional<int> {
    return number == 33 ? std::nullopt : std::make_optional(guest_.Obey(number, text));
  };
  const auto result = Offline({.bytes = kTestBlock}, Seconds(3));
  EXPECT_THAT(Said(result), ElementsAre("32 done", "33 failed Movable"));
  EXPECT_EQ(result->blocks[1].error, EINTR);
  EXPECT_THAT(result->blocks[1].reason, HasSubstr("came to no end"));
  EXPECT_EQ(result->stop, Stop::kDone);
  EXPECT_LT(result->took, Seconds(3));
  EXPECT_EQ(guest_.helpers, 2) << "the stopped one is gone";
}

// Twenty seconds of it pass in one.
class HastyClock final : public Clock {
 public:
  [[nodiscard]] MonotonicTime Now() const override {
    return began_ + Nanos{20 * (real_.Now() - began_).count};
  }

 private:
  SystemClock real_;
  MonotonicTime began_ = real_.Now();
};

TEST_F(BlockActsTest, OfALongCallABlockThatSpinsTakesNoMoreThanItCanNeed) {
  guest_.kernel = [&](int64_t number, const std::string& text) -> std::optional<int> {
    return number == 33 ? std::nullopt : std::make_optional(guest_.Obey(number, text));
  };
  const HastyClock clock;
  BlockActs acts({guest_.Root(), 4096, {}}, *keeper_, guest_, clock);
  const auto result =
      acts.Offline({.ranges = {Range(32, 2)}}, {.within = Seconds(300), .brake_permyriad = 10'000});
  EXPECT_THAT(Said(result), ElementsAre("32 done", "33 failed Movable"));
  EXPECT_GE(result->took, Seconds(15));
  EXPECT_LT(result->took, Seconds(100));
}

TEST_F(BlockActsTest, AllOrNothingBringsBackWhatWent) {
  guest_.kernel = [&](int64_t number, const std::string& text) -> std::optional<int> {
    return number == 40 ? std::nullopt : std::make_optional(guest_.Obey(number, text));
  };
  const auto result =
      Offline({.ranges = {Range(32, 2), Range(40)}, .bytes = 0, .all_or_nothing = true}, Seconds(2));
  EXPECT_THAT(Said(result),
              ElementsAre("32 brought back Movable", "33 brought back Movable", "40 failed Normal"));
  EXPECT_EQ(result->bytes, 0);
  EXPECT_EQ(result->stop, Stop::kDeadline);
  EXPECT_EQ(guest_.State(33), "online\n");
}

TEST_F(BlockActsTest, AllOrNothingBringsBackWhatWentEvenWithoutAHelper) {
  guest_.kernel = [&](int64_t number, const std::string& text) -> std::optional<int> {
    if (number != 32) return guest_.Obey(number, text);
    guest_.no_helpers = true;  // the one that hangs here is in the way of others
    return std::nullopt;
  };
  const auto result =
      Offline({.ranges = {Range(32, 2), Range(40)}, .all_or_nothing = true, .put_back_after = Seconds(60)},
              Seconds(4));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(Said(result), ElementsAre("32 failed Movable", "33 failed", "40 skipped Normal"));
  EXPECT_EQ(result->bytes, 0);
  EXPECT_EQ(result->stop, Stop::kExhausted);
  EXPECT_THAT(result->blocks[1].reason, HasSubstr("does not come back yet: no helper to be had"));
  guest_.no_helpers = false;
  EXPECT_TRUE(BlockGuest::Eventually([&] { return guest_.State(33) == "online\n"; }));
  EXPECT_EQ(guest_.Zones(33), "Movable\n");
}

TEST_F(BlockActsTest, AllOrNothingEndsWithTheFirstThatStays) {
  guest_.kernel = [&](int64_t number, const std::string& text) {
    return std::make_optional(number == 32 ? EINVAL : guest_.Obey(number, text));
  };
  const auto result = Offline({.ranges = {Range(32, 2), Range(40)}, .all_or_nothing = true});
  EXPECT_THAT(Said(result), ElementsAre("32 failed Movable", "33 brought back Movable", "40 skipped Normal"));
  EXPECT_EQ(result->stop, Stop::kExhausted);
  EXPECT_THAT(result->blocks[2].reason, HasSubstr("not tried: too little can go"));
  EXPECT_THAT(guest_.Writes(), Not(Contains(HasSubstr("40 "))));
  // Without it the others still go, and where there are others enough as well.
  EXPECT_THAT(Said(Offline({.ranges = {Range(32, 2), Range(40)}})),
              ElementsAre("32 failed Movable", "33 done", "40 done"));
}

TEST_F(BlockActsTest, WhatNeverLeavesKeepsTheOthersFromBeingTried) {
  const auto result = Offline({.ranges = {Range(0), Range(33)}, .all_or_nothing = true});
  EXPECT_THAT(Said(result), ElementsAre("0 failed none", "33 skipped Movable"));
  EXPECT_THAT(guest_.Writes(), IsEmpty());
}

TEST_F(BlockActsTest, AHelperThatIsLostFailsTheBlocksAfterIt) {
  guest_.kernel = [&](int64_t number, const std::string& text) -> std::optional<int> {
    if (number != 32) return guest_.Obey(number, text);
    guest_.no_helpers = true;
    return std::nullopt;
  };
  const auto result = Offline({.ranges = {Range(32, 2), Range(40)}}, Seconds(4));
  EXPECT_THAT(Said(result), ElementsAre("32 failed Movable", "33 done", "40 failed Normal"));
  EXPECT_THAT(result->blocks[2].reason, HasSubstr("no helper to be had"));
}

TEST_F(BlockActsTest, WithoutAnyHelperItIsRefused) {
  guest_.no_helpers = true;
  EXPECT_TRUE(absl::IsResourceExhausted(Offline({.bytes = kTestBlock}).status()));
  EXPECT_TRUE(absl::IsResourceExhausted(acts_->Online({}, {}).status()));
}

TEST_F(BlockActsTest, ACallerWhoLeavesStopsIt) {
  guest_.kernel = [](int64_t, const std::string&) { return std::optional<int>(); };
  int asked = 0;
  const auto result = acts_->Offline({.bytes = 2 * kTestBlock},
                                     {.brake_permyriad = 10'000, .cancelled = [&] { return ++asked > 3; }});
  EXPECT_THAT(Said(result), ElementsAre("32 skipped Movable", "33 failed Movable"));
  EXPECT_EQ(result->stop, Stop::kCancelled);
  EXPECT_THAT(result->blocks[1].reason,
              HasSubstr("stopped while its pages were being moved: the caller left"));
}

TEST_F(BlockActsTest, WhatIsNotUnpluggedInTimeComesBack) {
  const auto result = Offline({.ranges = {Range(33)}, .put_back_after = Milliseconds(200)});
  EXPECT_THAT(Said(result), ElementsAre("33 done"));
  EXPECT_TRUE(BlockGuest::Eventually([&] { return guest_.State(33) == "online\n"; }));
  EXPECT_EQ(guest_.Zones(33), "Movable\n");
}

TEST_F(BlockActsTest, APressedGuestKeepsItsMemory) {
  guest_.Tree().SetAvailable(100 * kMiB);
  const auto pressed = Offline({.bytes = kTestBlock});
  EXPECT_TRUE(absl::IsFailedPrecondition(pressed.status())) << pressed.status();
  EXPECT_THAT(std::string(pressed.status().message()), HasSubstr("the guest is pressed"));
  // 4 GiB are pressed below 819 MiB.
  guest_.Tree().SetAvailable(900 * kMiB);
  const auto would_be = Offline({.bytes = kTestBlock});
  EXPECT_TRUE(absl::IsFailedPrecondition(would_be.status())) << would_be.status();
  EXPECT_THAT(std::string(would_be.status().message()),
              HasSubstr("would be pressed without a block of 128MiB"));
  EXPECT_THAT(guest_.Writes(), IsEmpty());
}

TEST_F(BlockActsTest, PressureThatComesMeanwhileStopsIt) {
  guest_.kernel = [&](int64_t number, const std::string& text) -> std::optional<int> {
    guest_.Tree().SetAvailable(100 * kMiB);
    return guest_.Obey(number, text);
  };
  const auto result = Offline({.bytes = 2 * kTestBlock});
  EXPECT_THAT(Said(result), ElementsAre("32 skipped Movable", "33 done"));
  EXPECT_EQ(result->stop, Stop::kPressure);
  EXPECT_THAT(result->blocks[0].reason, HasSubstr("not tried: the guest is pressed: 100MiB available"));
}

TEST_F(BlockActsTest, ABlockThatPressureStopsIsNotCalledPinned) {
  guest_.kernel = [&](int64_t, const std::string&) {
    guest_.Tree().SetAvailable(100 * kMiB);
    return std::optional<int>();
  };
  const auto result = Offline({.bytes = 2 * kTestBlock});
  EXPECT_THAT(Said(result), ElementsAre("32 skipped Movable", "33 failed Movable"));
  EXPECT_EQ(result->stop, Stop::kPressure);
  EXPECT_THAT(result->blocks[1].reason, HasSubstr("the guest came to be short of memory"));
}

TEST_F(BlockActsTest, WhatItTakesItselfIsNoPressure) {
  for (int64_t number = 50; number < 56; ++number) {
    guest_.AddBlock(number, "online", "Movable");
    guest_.Send(kernel::BlockAction::kAdd, number);
  }
  ASSERT_TRUE(BlockGuest::Eventually([&] { return keeper_->Table().Find(55).has_value(); }));
  int64_t available = 1700 * kMiB;
  guest_.Tree().SetAvailable(available);
  guest_.kernel = [&](int64_t number, const std::string& text) -> std::optional<int> {
    guest_.Tree().SetAvailable(available -= kTestBlock);  // all at once, within a millisecond
    return guest_.Obey(number, text);
  };
  const auto result = Offline({.ranges = {Range(50, 6)}});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->bytes, 6 * kTestBlock);
}

TEST_F(BlockActsTest, WishesThatMakeNoSenseAreRefused) {
  const auto nothing = Offline({});
  EXPECT_THAT(std::string(nothing.status().message()), HasSubstr("say how much"));
  const auto hole = Offline({.ranges = {Range(32), Range(10)}});
  EXPECT_TRUE(absl::IsInvalidArgument(hole.status()));
  EXPECT_THAT(std::string(hole.status().message()), HasSubstr("ranges[1]"));
  const auto little = acts_->Online({.bytes = kTestBlock - 1}, {});
  EXPECT_TRUE(absl::IsInvalidArgument(little.status())) << little.status();
  EXPECT_THAT(guest_.Writes(), IsEmpty());
}

TEST_F(BlockActsTest, OnlineBringsWhatIsAskedFor) {
  guest_.AddBlock(42, "offline");
  guest_.Send(kernel::BlockAction::kAdd, 42);
  ASSERT_TRUE(BlockGuest::Eventually([&] { return keeper_->Table().Find(42).has_value(); }));
  const auto one = acts_->Online({.bytes = kTestBlock, .choice = ZoneChoice::kMovable}, {});
  EXPECT_THAT(Said(one), ElementsAre("41 done Movable", "42 skipped"));
  EXPECT_EQ(one->bytes, kTestBlock);
  const auto named = acts_->Online({.ranges = {Range(41, 2)}, .choice = ZoneChoice::kKernel}, {});
  EXPECT_THAT(Said(named), ElementsAre("41 done Movable", "42 done Normal"));
  EXPECT_EQ(named->bytes, kTestBlock) << "one of them was online already";
}

TEST_F(BlockActsTest, SomebodyElseWasFaster) {
  guest_.kernel = [&](int64_t number, const std::string&) -> std::optional<int> {
    guest_.Obey(number, "online_kernel");
    return EINVAL;
  };
  const auto result = acts_->Online({.choice = ZoneChoice::kMovable}, {});
  EXPECT_THAT(Said(result), ElementsAre("41 done Normal")) << "and it says where the block is";
}

TEST_F(BlockActsTest, OneCallAtATime) {
  std::optional<absl::Status> second;
  guest_.kernel = [&](int64_t number, const std::string& text) -> std::optional<int> {
    second = acts_->Online({}, {}).status();
    return guest_.Obey(number, text);
  };
  EXPECT_THAT(Said(Offline({.bytes = kTestBlock})), ElementsAre("32 skipped Movable", "33 done"));
  ASSERT_TRUE(second.has_value());
  EXPECT_TRUE(absl::IsResourceExhausted(*second)) << *second;
}

}  // namespace
}  // namespace ballast::agent
