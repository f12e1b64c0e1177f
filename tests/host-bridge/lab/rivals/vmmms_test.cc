#include "host-bridge/lab/rivals/vmmms.h"

#include <gtest/gtest.h>

#include "host-bridge/lab/rivals/psi_window.h"
#include "host-bridge/lab/rivals/vmmms_ladder.h"
#include "tests/host-bridge/lab/rivals/sights.h"

namespace ballast::sim {
namespace {

constexpr MonotonicTime At(int64_t seconds) { return {Seconds(seconds).count}; }

TEST(Ladder, WithoutOppositionARequestBlocksTheLowestRungOnly) {
  Ladder ladder;
  EXPECT_TRUE(ladder.Try(Direction::kInflate, Rung::kCachedTab, At(0)));
  EXPECT_FALSE(ladder.Try(Direction::kDeflate, Rung::kMglruReclaim, At(100)));
  EXPECT_TRUE(ladder.Try(Direction::kDeflate, Rung::kMglruReclaim, At(101)));
  EXPECT_TRUE(ladder.Try(Direction::kDeflate, Rung::kCachedApp, At(1)));
}

// Host and guest in turn, at CachedTab and CachedApp: each climbs one rung above the other, to its own at
// most.
TEST(Ladder, EachRequestClimbsOneRung) {
  Ladder ladder;
  for (int second = 0; second < 4; second += 2) {
    EXPECT_TRUE(ladder.Try(Direction::kInflate, Rung::kCachedTab, At(second)));  // blocks rung 12, then 10
    EXPECT_TRUE(ladder.Try(Direction::kDeflate, Rung::kCachedApp, At(second + 1)));  // blocks rung 11, then 9
  }
  EXPECT_EQ(ladder.LowestUnblocked(Direction::kInflate, At(4)), 8);
  EXPECT_TRUE(ladder.Try(Direction::kInflate, Rung::kCachedTab, At(4)));
  EXPECT_FALSE(ladder.Try(Direction::kDeflate, Rung::kCachedApp, At(5)));
  EXPECT_TRUE(ladder.Try(Direction::kDeflate, Rung::kFocusedApp, At(6)));  // counts as CachedTab
  EXPECT_FALSE(ladder.Try(Direction::kInflate, Rung::kCachedTab, At(7)));  // and so blocks it
  EXPECT_TRUE(ladder.Try(Direction::kInflate, Rung::kPerceptibleTab, At(8)));
}

TEST(Ladder, UrgentRungsBlockForTenSeconds) {
  Ladder ladder;
  ladder.Record(Direction::kDeflate, Rung::kBalloonStall, At(0));
  EXPECT_FALSE(ladder.Try(Direction::kInflate, Rung::kCachedTab, At(10)));
  EXPECT_TRUE(ladder.Try(Direction::kInflate, Rung::kCachedTab, At(11)));
}

TEST(Ladder, AStallIsNotCapped) {
  Ladder ladder;
  ladder.Record(Direction::kInflate, Rung::kCachedTab, At(0));
  ladder.Record(Direction::kDeflate, Rung::kBalloonStall, At(1));
  EXPECT_FALSE(ladder.Try(Direction::kInflate, Rung::kNoKillCandidatesHost, At(2)));
  EXPECT_EQ(ladder.LowestUnblocked(Direction::kInflate, At(2)), -1);
}

TEST(Ladder, LessUrgentRequestsTakeBackTheSidesOwnBlocks) {
  Ladder ladder;
  ladder.Record(Direction::kDeflate, Rung::kBalloonStall, At(0));
  ladder.Record(Direction::kDeflate, Rung::kCachedApp, At(1));
  EXPECT_TRUE(ladder.Try(Direction::kInflate, Rung::kCachedTab, At(2)));
}

TEST(PsiWindow, SlidesLikeTheKernels) {
  PsiWindow window;
  window.Add(At(10), 0);
  EXPECT_EQ(window.Add(At(11), 5000), Milliseconds(500));
  EXPECT_EQ(window.Add(At(12), 0), Milliseconds(500));
  EXPECT_EQ(window.Add(At(13), 0), Milliseconds(250));  // half of the window before is still inside
  EXPECT_FALSE(window.quiet());
  window.Add(At(14), 0);
  window.Add(At(16), 0);
  EXPECT_TRUE(window.quiet());
}

// 64 GiB: 5.2 % are 3407.87 MiB.
constexpr int64_t kMargin = 64 * kGiB * 520 / 10'000;

class VmmmsTest : public testing::Test {
 protected:
  void Stall(size_t guest, int32_t permyriad) {
    world_.guest(guest).report = {{.stall_permyriad = permyriad}, world_.now()};
  }
  // The balloons follow.
  void Squeeze(int64_t bytes) {
    world_.host().available_bytes = kMargin - bytes;
    world_.Obey(*vmmms_);
    world_.host().available_bytes = 64 * kGiB;
  }
  Sights world_{{4 * kGiB, 4 * kGiB}};
  std::unique_ptr<Controller> vmmms_ = MakeVmmms(world_.plan());
};

TEST_F(VmmmsTest, SplitsTheHostsRequestEvenly) {
  Squeeze(200 * kMiB);
  EXPECT_EQ(world_.sizes(), (std::vector<int64_t>{4 * kGiB - 100 * kMiB, 4 * kGiB - 100 * kMiB}));
}

TEST_F(VmmmsTest, AsksTheMoreTheHostStalls) {
  struct Case {
    int32_t some;
    int32_t full;
    int64_t mib;
  };
  for (const auto& [some, full, mib] :
       {Case{1999, 499, 0}, Case{2000, 0, 5}, Case{3000, 500, 50}, Case{9000, 5000, 50}}) {
    Sights world({4 * kGiB, 4 * kGiB});
    const auto vmmms = MakeVmmms(world.plan());
    world.host().some_permyriad = some;
    world.host().full_permyriad = full;
    EXPECT_EQ(world.Obey(*vmmms).front(), 4 * kGiB - mib * kMiB) << some;
  }
}

TEST_F(VmmmsTest, CriticalSecondsInARowDouble) {
  world_.host().full_permyriad = 5000;
  for (const int64_t mib : {50, 100, 200, 400}) {  // 50, 50, 100, 200 more
    EXPECT_EQ(world_.Obey(*vmmms_).front(), 4 * kGiB - mib * kMiB);
    world_.Pass(Milliseconds(500));
    EXPECT_TRUE(world_.Look(*vmmms_).empty());  // once a second
    world_.Pass(Milliseconds(500));
  }
}

TEST_F(VmmmsTest, AGuestGetsHundredMebibytesWhenItsWindowFills) {
  Squeeze(kGiB);
  ASSERT_EQ(world_.sizes()[0], 4 * kGiB - 512 * kMiB);
  world_.Pass(Seconds(101));  // the host's block is over
  world_.Look(*vmmms_);
  Stall(0, 900);
  world_.Pass(Seconds(2));
  EXPECT_TRUE(world_.Look(*vmmms_).empty());  // 180 ms
  Stall(0, 1100);
  world_.Pass(Seconds(2));
  EXPECT_EQ(world_.Obey(*vmmms_)[0], 4 * kGiB - 412 * kMiB);  // 220 ms
  EXPECT_FALSE(vmmms_->at_rest());
  world_.Pass(Seconds(2));
  EXPECT_TRUE(world_.Look(*vmmms_).empty());  // cooling for 5 s
  EXPECT_EQ(world_.sizes()[1], 4 * kGiB - 512 * kMiB);
}

TEST_F(VmmmsTest, HostAndGuestClimbUntilOneIsRefused) {
  Squeeze(kGiB);
  int refused = 0;
  for (int i = 0; i < 3; ++i) {
    Stall(0, 1100);  // CachedApp
    world_.Pass(Seconds(6));
    const int64_t before = world_.sizes()[0];
    refused = world_.Obey(*vmmms_)[0] == before ? i : refused;
    Squeeze(20 * kMiB);  // CachedTab
    world_.Pass(Seconds(1));
    Squeeze(20 * kMiB);
  }
  EXPECT_EQ(refused, 2);
  Stall(0, 3000);  // FocusedApp
  world_.Pass(Seconds(2));
  const int64_t before = world_.sizes()[0];
  EXPECT_EQ(world_.Obey(*vmmms_)[0], before + 100 * kMiB);
}

TEST_F(VmmmsTest, AStalledInflationIsTakenBackAndBlocked) {
  world_.host().available_bytes = kMargin - kGiB;
  ASSERT_EQ(world_.Look(*vmmms_).size(), 2U);  // nothing follows
  world_.host().available_bytes = 64 * kGiB;
  world_.guest(0).balloon_bytes = 300 * kMiB;  // below its 512 MiB, but 60 MiB/s
  world_.guest(1).balloon_bytes = 70 * kMiB;   // 14 MiB/s
  world_.Pass(Seconds(5));
  const std::vector<Command> commands = world_.Look(*vmmms_);
  ASSERT_EQ(commands.size(), 1U);
  EXPECT_EQ(commands[0].guest, 1U);
  EXPECT_EQ(commands[0].balloon_bytes, 0);  // 70 - 128
  world_.guest(0).balloon_bytes = 512 * kMiB;
  world_.guest(1).balloon_bytes = 0;
  world_.Pass(Seconds(2));
  world_.host().available_bytes = kMargin - kGiB;
  EXPECT_EQ(world_.Obey(*vmmms_), (std::vector<int64_t>{3 * kGiB, 4 * kGiB}));
}

TEST_F(VmmmsTest, LeavesTheFloorAndRestsInPeace) {
  world_.host().available_bytes = 0;
  for (int i = 0; i < 10; ++i) {
    world_.Obey(*vmmms_);
    world_.Pass(Seconds(1));
  }
  EXPECT_EQ(world_.sizes()[0], kGiB);
  world_.host().available_bytes = 64 * kGiB;
  world_.Pass(Seconds(6));
  world_.Look(*vmmms_);
  world_.Pass(Seconds(6));
  world_.Look(*vmmms_);
  EXPECT_TRUE(vmmms_->at_rest());
}

}  // namespace
}  // namespace ballast::sim
