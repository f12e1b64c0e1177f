// What people fear, each as a story with the real programs: whatever breaks, the guest is helped as soon as
// it can be, nothing is taken on stale news, and nobody else notices.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "common/base/text.h"
#include "tests/process/rig.h"

namespace ballast::process {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kTaken = 768 * kMiB;

class FaultsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    rig_.Balloon(kTaken);
    rig_.StartAgent();
    rig_.StartBridge();
    ASSERT_TRUE(Connected()) << rig_.BridgeLog();
  }
  void TearDown() override {
    if (HasFailure()) {
      std::cerr << "--- bridge\n" << rig_.BridgeLog() << "--- agent\n" << rig_.Agent().Log();
    }
  }
  [[nodiscard]] bool Connected() {
    return rig_.BridgeSays("vmm: connected") && rig_.BridgeSays("agent: version");
  }
  void GuestRunsShort() { rig_.Guest().SetAvailable(8 * kMiB); }
  void GuestRecovers() { rig_.Guest().SetAvailable(150 * kMiB); }

  Rig rig_;
};

TEST_F(FaultsTest, AGuestThatRunsShortGetsEverythingBack) {
  GuestRunsShort();
  EXPECT_TRUE(rig_.BalloonBecomes(0));
  EXPECT_TRUE(rig_.BridgeSays("after pressure began"));
  EXPECT_TRUE(rig_.StopBridge());
  EXPECT_TRUE(rig_.StopAgent());
}

TEST_F(FaultsTest, AComfortableGuestIsLeftAsItIs) {
  rig_.Guest().SetAvailable(140 * kMiB);
  // Two more ticks and nothing is asked of the VMM.
  ASSERT_FALSE(rig_.BridgeSays("[command", 1, absl::Seconds(3)));
  EXPECT_EQ(rig_.Vmm().Target().count, kTaken);
}

TEST_F(FaultsTest, AKilledAgentThatComesBackIsHeardAgain) {
  rig_.Agent().Kill();
  ASSERT_TRUE(rig_.BridgeSays("; trying again"));
  EXPECT_EQ(rig_.Vmm().Target().count, kTaken);
  GuestRunsShort();
  rig_.StartAgent();
  EXPECT_TRUE(rig_.BalloonBecomes(0));
  EXPECT_TRUE(rig_.BridgeSays("agent: restarted"));
}

TEST_F(FaultsTest, AKilledBridgeLeavesTheBalloonAndItsSuccessorReadsItFirst) {
  rig_.Bridge().Kill();
  rig_.Balloon(512 * kMiB);
  rig_.StartBridge();
  ASSERT_TRUE(Connected());
  ASSERT_FALSE(rig_.BridgeSays("[command", 1, absl::Seconds(2)));
  GuestRunsShort();
  EXPECT_TRUE(rig_.BridgeSays("512MiB -> 0"));
  EXPECT_TRUE(rig_.BalloonBecomes(0));
}

TEST_F(FaultsTest, AMonitorThatHangsUpMidCommandIsAskedAgainAfterReconnecting) {
  rig_.Vmm().SetFault(fakes::Fault::kClose);
  GuestRunsShort();
  EXPECT_TRUE(rig_.BridgeSays("unmanaged"));
  EXPECT_TRUE(rig_.BalloonBecomes(0));
  EXPECT_TRUE(rig_.BridgeSays("vmm: connected", 2));
}

TEST_F(FaultsTest, AMonitorThatHangsIsGivenUpAtTheDeadlineAndTriedAgain) {
  rig_.Vmm().SetFault(fakes::Fault::kHang);
  GuestRunsShort();
  EXPECT_TRUE(rig_.BridgeSays("failed: "));
  EXPECT_TRUE(rig_.BalloonBecomes(0));
}

TEST_F(FaultsTest, AMonitorThatAnswersGarbageIsNotBelieved) {
  rig_.Vmm().SetFault(fakes::Fault::kGarbage);
  GuestRunsShort();
  EXPECT_TRUE(rig_.BridgeSays("unmanaged"));
  EXPECT_TRUE(rig_.BalloonBecomes(0));
  EXPECT_TRUE(rig_.AllAlive());
}

TEST_F(FaultsTest, APausedGuestIsLeftAloneAndHelpedWhenItRunsAgain) {
  rig_.Vmm().Stop();
  ASSERT_TRUE(rig_.BridgeSays("vmm: paused"));
  GuestRunsShort();
  ASSERT_FALSE(rig_.BridgeSays("[command", 1, absl::Seconds(2)));
  rig_.Vmm().Resume();
  EXPECT_TRUE(rig_.BalloonBecomes(0));
}

TEST_F(FaultsTest, AResetGuestGetsASafeTargetFirst) {
  rig_.Vmm().Reset();
  EXPECT_TRUE(rig_.BalloonBecomes(0));
  EXPECT_TRUE(rig_.BridgeSays("the guest was reset"));
}

TEST_F(FaultsTest, AGuestThatClaimsMoreMemoryThanItHasIsNotBelieved) {
  // The agent's own parser refuses available > total; this lie only the bridge can see, which knows the VM's
  // size.
  rig_.Guest().SetTotal(64 * kGiB);
  rig_.Guest().SetAvailable(8 * kMiB);
  EXPECT_TRUE(rig_.BridgeSays("its readings contradict one another"));
  ASSERT_FALSE(rig_.BridgeSays("[command", 1, absl::Seconds(2)));
  EXPECT_EQ(rig_.Vmm().Target().count, kTaken);
  EXPECT_TRUE(rig_.AllAlive());
}

TEST(DryRun, DecidesAndTouchesNothing) {
  Rig rig;
  rig.Balloon(kTaken);
  rig.StartAgent();
  rig.StartBridge({"--dry-run"});
  ASSERT_TRUE(rig.BridgeSays("agent: version"));
  rig.Guest().SetAvailable(8 * kMiB);
  EXPECT_TRUE(rig.BridgeSays("768MiB -> 0"));
  EXPECT_TRUE(rig.BridgeSays("[dry run, command 1]"));
  EXPECT_EQ(rig.Vmm().Target().count, kTaken);
  EXPECT_TRUE(rig.StopBridge());
}

TEST(TwoGuestsInOneBridge, AHungMonitorOfOneDoesNotDelayTheOther) {
  RigOptions options;
  options.with_hung_neighbour = true;
  Rig rig(options);
  rig.Balloon(kTaken);
  rig.StartAgent();
  rig.StartBridge();
  ASSERT_TRUE(rig.BridgeSays("web: vmm: connected"));
  ASSERT_TRUE(rig.BridgeSays("web: agent: version"));
  rig.Guest().SetAvailable(8 * kMiB);
  EXPECT_TRUE(rig.BalloonBecomes(0));
  EXPECT_TRUE(rig.BridgeSays("neighbour: vmm: unmanaged"));
  EXPECT_TRUE(rig.StopBridge());
}

}  // namespace
}  // namespace ballast::process
