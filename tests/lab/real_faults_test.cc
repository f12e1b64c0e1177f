// What breaks on a real host and in a real guest: programs that die, guests that stop, start anew or are
// talked to by strangers. After each, a guest that runs short is still helped.
#include <gmock/gmock.h>
#include <sys/socket.h>

#include "absl/time/clock.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "common/transport/socket.h"
#include "tests/lab/bridge_process.h"
#include "tests/lab/lab_fixture.h"
#include "tests/lab/stream.h"

namespace ballast::lab {
namespace {

constexpr char kBurst[] = "lab-guest hog --mib 300 --hold-ms 100";
constexpr int64_t kLeft = 192 * kMiB;

class RealFaultsTest : public LabTest {
 protected:
  // A 512 MiB guest ballooned to 192 MiB, and a bridge that knows it.
  void Begin(const std::vector<std::string>& agent_args = {}, const BridgeOptions& more = {}) {
    GuestOptions options;
    options.memory_mib = 512;
    options.agent_args = agent_args;
    guest_ = Boot(options);
    ASSERT_NE(guest_, nullptr);
    options_ = more;
    options_.directory = guest_->directory();
    Squeeze();
    StartBridge();
  }
  void Squeeze() { ASSERT_EQ(guest_->SetBalloon(kLeft), absl::OkStatus()); }
  void StartBridge() {
    options_.name = StrCat("bridge-", ++bridges_);
    auto bridge = BridgeProcess::Start({guest_}, options_);
    ASSERT_TRUE(bridge.ok()) << bridge.status();
    bridge_ = *std::move(bridge);
    ASSERT_EQ(bridge_->WaitUntilConnected(absl::Seconds(20)), absl::OkStatus());
  }
  // vhost-device-vsock does not survive bytes that are on their way when the guest stops, whoever sent them;
  // so the test stops a guest whose link is quiet: introductions over, the next report seconds away.
  static void LetTheLinkGrowQuiet() { absl::SleepFor(absl::Seconds(4)); }
  void ExpectRescue() {
    const auto work = guest_->Exec(kBurst, absl::Seconds(60));
    ASSERT_TRUE(work.ok()) << work.status();
    EXPECT_EQ(work->status, 0) << work->output << bridge_->Log();
    EXPECT_EQ(guest_->OomKills().value_or(-1), 0);
  }

  Guest* guest_ = nullptr;
  BridgeOptions options_;
  std::optional<BridgeProcess> bridge_;
  int bridges_ = 0;
};

TEST_F(RealFaultsTest, TheAgentIsKilledAndStartedAgain) {
  ASSERT_NO_FATAL_FAILURE(Begin());
  ASSERT_EQ(guest_->Exec("kill -9 $(pidof ballast-agent)")->status, 0);
  ASSERT_EQ(bridge_->WaitForLog("trying again", absl::Seconds(20)), absl::OkStatus());
  ASSERT_EQ(guest_->Exec("ballast-agent > /run/again.log 2>&1 &")->status, 0);
  ASSERT_EQ(bridge_->WaitForLog("agent: restarted", absl::Seconds(20)), absl::OkStatus())
      << guest_->Exec("cat /run/again.log")->output;
  ExpectRescue();
}

TEST_F(RealFaultsTest, TheBridgeIsKilledAndItsSuccessorReadsActualSizes) {
  ASSERT_NO_FATAL_FAILURE(Begin());
  bridge_->Process().Kill();
  // Another size than the one its predecessor knew. (Whether all of it is given at once depends on how much
  // the guest has left at that moment.)
  ASSERT_EQ(guest_->SetBalloon(320 * kMiB), absl::OkStatus());
  ASSERT_NO_FATAL_FAILURE(StartBridge());
  ExpectRescue();
  EXPECT_THAT(bridge_->Log(), ::testing::HasSubstr("balloon 192MiB -> "));
}

TEST_F(RealFaultsTest, TheGuestIsStoppedForLongAndContinued) {
  BridgeOptions taciturn;
  taciturn.bridge_lines = "report-armed = 9s\nreport-quiet = 9s";
  ASSERT_NO_FATAL_FAILURE(Begin({}, taciturn));
  LetTheLinkGrowQuiet();
  ASSERT_EQ(guest_->Stop(), absl::OkStatus());
  ASSERT_EQ(bridge_->WaitForLog("paused; decisions are frozen", absl::Seconds(5)), absl::OkStatus());
  // Longer than any silence that would end the conversation of a running guest. Nothing may be sent to it
  // meanwhile.
  absl::SleepFor(absl::Seconds(40));
  EXPECT_EQ(guest_->BalloonActual().value_or(0), kLeft);
  ASSERT_EQ(guest_->Cont(), absl::OkStatus());
  ASSERT_EQ(bridge_->WaitForLog("running again", absl::Seconds(5)), absl::OkStatus());
  ExpectRescue();
  EXPECT_THAT(bridge_->Log(), ::testing::Not(::testing::HasSubstr("trying again")));
}

TEST_F(RealFaultsTest, TheGuestIsResetAndBootsIntoASafeSize) {
  BridgeOptions taciturn;
  taciturn.bridge_lines = "report-armed = 9s\nreport-quiet = 9s";
  ASSERT_NO_FATAL_FAILURE(Begin({}, taciturn));
  LetTheLinkGrowQuiet();
  ASSERT_EQ(guest_->Reset(), absl::OkStatus());
  ASSERT_EQ(guest_->WaitForExec(absl::Seconds(40)), absl::OkStatus());
  ASSERT_EQ(bridge_->WaitForLog("[rule 12]", absl::Seconds(5)), absl::OkStatus()) << bridge_->Log();
  ASSERT_EQ(bridge_->WaitForLog("the guest rebooted", absl::Seconds(40)), absl::OkStatus());
  // The fatal target of the former life is gone: by the guest's own count it has everything. (QEMU itself
  // goes on reporting the old size, because a driver with nothing to do never writes its own.)
  absl::SleepFor(absl::Seconds(2));
  EXPECT_EQ(guest_->Exec("test $(awk '/^MemTotal/{print $2}' /proc/meminfo) -gt 400000")->status, 0);
  ExpectRescue();
}

TEST_F(RealFaultsTest, StrangersOnTheAgentsPortDisturbNobody) {
  ASSERT_NO_FATAL_FAILURE(Begin());
  const Address agent = guest_->PortAddress(kAgentPort);
  std::vector<Stream> silent;
  int refused = 0;
  for (int i = 0; i < 200; ++i) {
    auto stream = Stream::Connect(agent, absl::Now() + absl::Seconds(10));
    if (!stream.ok()) {
      ++refused;
      continue;
    }
    if (i % 3 == 0) (void)stream->Write(std::string(70'000, 'x'), absl::Now() + absl::Seconds(1));
    if (i % 3 == 1)
      (void)stream->Write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff", absl::Now() + absl::Seconds(1));
    if (i % 10 == 0) silent.push_back(*std::move(stream));
  }
  EXPECT_LT(refused, 200);
  ExpectRescue();
  EXPECT_THAT(bridge_->Log(), ::testing::Not(::testing::HasSubstr("trying again")));
}

TEST_F(RealFaultsTest, TheAgentDialsTheBridge) {
  BridgeOptions reverse;
  reverse.agent_port = 1001;
  reverse.guest_lines = "link = listen";
  ASSERT_NO_FATAL_FAILURE(Begin({"--dial", "2:1001"}, reverse));
  ExpectRescue();
}

}  // namespace
}  // namespace ballast::lab
