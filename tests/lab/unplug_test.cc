// Memory taken out of a real guest: what can move goes with its data intact, what cannot is named with the
// reason, and nothing stays offline because somebody died half way.
#include <gmock/gmock.h>

#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "tests/lab/hotplug_guest.h"
#include "tests/lab/lab_fixture.h"

namespace ballast::lab {
namespace {

using guest::v1::BlockResult;
using guest::v1::GuestAgent;
using guest::v1::OfflineMemoryRequest;
using guest::v1::OfflineMemoryResponse;
using ::testing::AnyOf;
using ::testing::HasSubstr;

constexpr int64_t kBlock = HotplugGuest::kBlock;
constexpr int64_t kDimm = 32;  // its first block: 4 GiB

class UnplugTest : public LabTest {
 protected:
  // 896 MiB of boot memory, and four Movable blocks.
  void SetUp() override {
    LabTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    guest_ = Boot({.memory_mib = 896, .hotplug_mib = 1024, .free_page_reporting = false});
    ASSERT_NE(guest_, nullptr);
    blocks_ = std::make_unique<HotplugGuest>(*guest_);
    ASSERT_TRUE(blocks_->Connect().ok());
    ASSERT_TRUE(blocks_->PlugDimm("d0", 512).ok());
    ASSERT_TRUE(AllOnline());
  }

  bool AllOnline() {
    return blocks_->Eventually([](const auto& now) { return CountOf(now, "online Movable") == 4; });
  }

  absl::StatusOr<OfflineMemoryResponse> Offline(const OfflineMemoryRequest& request,
                                                absl::Duration within = absl::Seconds(25)) {
    return blocks_->Call(&GuestAgent::Stub::OfflineMemory, request, within);
  }

  static OfflineMemoryRequest Wish(int64_t first, int64_t count, int64_t bytes = 0) {
    OfflineMemoryRequest request;
    auto& range = *request.add_ranges();
    range.set_address(first * kBlock);
    range.set_bytes(count * kBlock);
    request.set_bytes(bytes);
    request.set_brake_permyriad(10'000);  // an emulated guest may stall for a moment
    return request;
  }

  static std::vector<BlockResult> Of(const OfflineMemoryResponse& response, BlockResult::Result result) {
    std::vector<BlockResult> found;
    for (const BlockResult& block : response.blocks()) {
      if (block.result() == result) found.push_back(block);
    }
    return found;
  }

  Guest* guest_ = nullptr;
  std::unique_ptr<HotplugGuest> blocks_;
};

TEST_F(UnplugTest, WhatIsInUseMovesAndADimmThatIsOfflineLeaves) {
  auto hog = guest_->ExecAsync("lab-guest hog --mib 300 --hold-ms 6000");
  ASSERT_TRUE(hog.ok());
  ASSERT_TRUE(blocks_->Eventually([&](const auto&) { return blocks_->Meminfo("AnonPages") > 300 * kMiB; }));
  const auto moved = Offline(Wish(kDimm, 4));
  ASSERT_TRUE(moved.ok()) << moved.status();
  EXPECT_EQ(moved->offline_bytes(), 4 * kBlock) << moved->ShortDebugString();
  EXPECT_EQ(moved->stop(), guest::v1::STOP_DONE);
  EXPECT_EQ(CountOf(blocks_->Blocks(), "offline"), 4);
  const auto ended = hog->Wait(absl::Seconds(20));
  ASSERT_TRUE(ended.ok()) << ended.status();
  EXPECT_EQ(ended->status, 0) << "every word is still there: " << ended->output;

  // The agent dies between that and the unplugging: the next one takes it for half an unplugging.
  blocks_->Run("kill -9 $(pidof ballast-agent)");
  blocks_->Run("setsid ballast-agent > /run/ballast-agent.log 2>&1 < /dev/null &");
  EXPECT_TRUE(AllOnline()) << blocks_->Run("cat /run/ballast-agent.log");
  ASSERT_TRUE(blocks_->Connect().ok());
  ASSERT_TRUE(Offline(Wish(kDimm, 4)).ok());
  ASSERT_TRUE(blocks_->AskForDimm("d0").ok());
  EXPECT_TRUE(blocks_->Eventually([](const auto& now) { return !now.contains(kDimm + 3); }));
  EXPECT_TRUE(blocks_->Eventually([&](const auto&) { return !blocks_->HasDimm("d0"); }));
}

TEST_F(UnplugTest, WhatCannotMoveIsNamedWithTheReasonAndInTime) {
  auto pins = guest_->ExecAsync("lab-guest pin --mib 8 --hold-ms 60000");
  auto kernels = guest_->ExecAsync("lab-guest pin --kernel --mib 100 --hold-ms 60000");
  ASSERT_TRUE(pins.ok() && kernels.ok());
  absl::SleepFor(absl::Seconds(2));
  // Of the boot's memory: one that never leaves, and one that the kernel uses.
  const auto boot = Offline(Wish(0, 2));
  ASSERT_TRUE(boot.ok()) << boot.status();
  const auto refused = Of(*boot, BlockResult::RESULT_FAILED);
  ASSERT_EQ(refused.size(), 2u) << boot->ShortDebugString();
  EXPECT_EQ(refused[0].error(), EINVAL);
  EXPECT_EQ(refused[0].zone(), "none");
  EXPECT_THAT(refused[0].reason(), HasSubstr("never leaves"));
  EXPECT_EQ(refused[1].error(), EBUSY);
  EXPECT_THAT(refused[1].reason(), HasSubstr("cannot be moved"));
  EXPECT_EQ(boot->stop(), guest::v1::STOP_EXHAUSTED);

  // Pinned pages: the kernel would try for ever.
  OfflineMemoryRequest wish = Wish(kDimm, 4);
  wish.set_all_or_nothing(true);
  const absl::Time began = absl::Now();
  const auto pinned = Offline(wish, absl::Seconds(10));
  ASSERT_TRUE(pinned.ok()) << pinned.status();
  EXPECT_LT(absl::Now() - began, absl::Seconds(10));
  const auto stuck = Of(*pinned, BlockResult::RESULT_FAILED);
  ASSERT_GE(stuck.size(), 1u) << pinned->ShortDebugString();
  EXPECT_THAT(stuck[0].error(), AnyOf(EINTR, EBUSY)) << stuck[0].ShortDebugString();
  EXPECT_EQ(stuck[0].zone(), "Movable") << "it is in use as before";
  EXPECT_EQ(pinned->offline_bytes(), 0);
  EXPECT_TRUE(AllOnline()) << "all or nothing";
  EXPECT_EQ(guest_->OomKills().value_or(-1), 0);
}

TEST_F(UnplugTest, WhoAskedMayDieAndTheMemoryComesBack) {
  OfflineMemoryRequest wish = Wish(kDimm, 4, 2 * kBlock);
  wish.set_put_back_after_ms(2'000);
  const auto taken = Offline(wish);
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_EQ(Of(*taken, BlockResult::RESULT_DONE).size(), 2u) << taken->ShortDebugString();
  EXPECT_EQ(CountOf(blocks_->Blocks(), "offline"), 2);
  blocks_->Hangup();
  EXPECT_TRUE(AllOnline());
}

}  // namespace
}  // namespace ballast::lab
