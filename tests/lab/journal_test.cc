// A real guest in a real burst, with the bridge recording: the rescue is decided again from its journal, to
// the last bit, and another policy would have decided otherwise.
#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "common/base/units.h"
#include "host-bridge/lab/replay/replay.h"
#include "host-bridge/lab/replay/replay_text.h"
#include "tests/lab/bridge_process.h"
#include "tests/lab/lab_fixture.h"

namespace ballast::lab {
namespace {

using replay::HistoryMode;

class JournalLabTest : public LabTest {
 protected:
  replay::ReplayReport Replay(const std::string& path, const replay::ReplayRequest& request) {
    auto journal = record::JournalStream::Open(path);
    EXPECT_TRUE(journal.ok()) << journal.status();
    if (!journal.ok()) return {};
    auto report = replay::Replay(*journal, request);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *std::move(report) : replay::ReplayReport{};
  }
};

TEST_F(JournalLabTest, ARescueIsReplayedToTheLastBitAndAnotherPolicyDiffers) {
  Guest* guest = Boot({.name = "web"});
  ASSERT_NE(guest, nullptr);
  ASSERT_TRUE(guest->SetBalloon(256 * kMiB).ok());
  const std::string path = guest->directory() + "/bridge.journal";
  BridgeOptions options;
  options.directory = guest->directory();
  options.bridge_lines = "journal = " + path;
  {
    auto bridge = BridgeProcess::Start({guest}, options);
    ASSERT_TRUE(bridge.ok()) << bridge.status();
    ASSERT_EQ(bridge->WaitUntilConnected(absl::Seconds(20)), absl::OkStatus());
    const auto hog = guest->Exec("lab-guest hog --mib 400 --hold-ms 200", absl::Seconds(60));
    ASSERT_TRUE(hog.ok()) << hog.status();
    EXPECT_EQ(hog->status, 0) << bridge->Log();
    bridge->Process().Signal(SIGTERM);
    ASSERT_TRUE(bridge->Process().Wait(absl::Seconds(20)).ok());
  }
  for (const HistoryMode mode : {HistoryMode::kAsRecorded, HistoryMode::kCarried}) {
    const replay::ReplayReport same = Replay(path, {.mode = mode});
    EXPECT_GT(same.entries, 3);
    EXPECT_EQ(same.different_entries, 0) << replay::TextOf(same);
    EXPECT_EQ(same.damage_count, 0);
    EXPECT_EQ(same.lost_entries, 0u);
    EXPECT_GE(
        same.recorded.count(policy::Rule::kCriticalRelease) + same.recorded.count(policy::Rule::kPressedGrow),
        1u)
        << replay::TextOf(same);
  }
  // One that waits until nothing is available does not do what saved this guest, whenever its reports came.
  const auto asleep = [](policy::PolicyConfig& policy) {
    policy.critical_permyriad = policy.pressed_permyriad = 0;
    policy.critical_min_bytes = policy.critical_max_bytes = 0;
    policy.pressed_min_bytes = policy.pressed_max_bytes = 0;
    policy.exhaustion_horizon = {0};
    return absl::OkStatus();
  };
  const replay::ReplayReport other = Replay(path, {.change_policy = asleep});
  EXPECT_GT(other.changed_decisions, 0) << replay::TextOf(other);
  std::printf("%s%lld bytes for %lld entries\n", replay::TextOf(other).c_str(),
              static_cast<long long>(std::filesystem::file_size(path)),
              static_cast<long long>(other.entries));
}

}  // namespace
}  // namespace ballast::lab
