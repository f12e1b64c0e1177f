// The journal of the real bridge, replayed: what it decided is decided again, however it ended.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "absl/time/clock.h"
#include "host-bridge/lab/replay/run_replay.h"
#include "tests/process/rig.h"

namespace ballast::process {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kTaken = 768 * kMiB;

class JournalTest : public ::testing::Test {
 protected:
  JournalTest() : rig_({.guest_lines = "", .policy_lines = "", .with_journal = true}) {}

  void SetUp() override {
    rig_.Balloon(kTaken);
    rig_.StartAgent();
    StartBridge();
  }
  void TearDown() override {
    if (HasFailure()) std::cerr << "--- bridge\n" << rig_.BridgeLog();
  }
  void StartBridge() {
    rig_.StartBridge();
    ASSERT_TRUE(rig_.BridgeSays("vmm: connected") && rig_.BridgeSays("agent: version")) << rig_.BridgeLog();
  }
  // Replays what there is so far.
  absl::StatusOr<replay::ReplayReport> Replay(replay::HistoryMode mode = replay::HistoryMode::kAsRecorded) {
    auto journal = record::JournalStream::Open(rig_.Journal());
    if (!journal.ok()) return journal.status();
    return replay::Replay(*journal, {.mode = mode});
  }
  // Waits until the journal on disk has a decision of this rule.
  bool IsRecorded(policy::Rule rule) {
    const absl::Time deadline = absl::Now() + absl::Seconds(10);
    while (absl::Now() < deadline) {
      const auto report = Replay();
      if (report.ok() && report->recorded.count(rule) != 0) return true;
      absl::SleepFor(absl::Milliseconds(20));
    }
    return false;
  }
  void ExpectIdentical(int64_t runs) {
    for (const auto mode : {replay::HistoryMode::kAsRecorded, replay::HistoryMode::kCarried}) {
      const auto report = Replay(mode);
      ASSERT_TRUE(report.ok()) << report.status();
      EXPECT_EQ(report->different_entries, 0);
      EXPECT_EQ(report->runs, runs);
      EXPECT_GT(report->entries, 2);
      EXPECT_THAT(report->header.guests, testing::ElementsAre("web"));
    }
  }

  Rig rig_;
};

TEST_F(JournalTest, ARescueIsReplayedToTheLastBit) {
  rig_.Guest().SetAvailable(8 * kMiB);
  ASSERT_TRUE(rig_.BalloonBecomes(0));
  ASSERT_TRUE(rig_.StopBridge());
  struct stat info {};
  ASSERT_EQ(::stat(rig_.Journal().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(replay::RunReplay({.journal = rig_.Journal(), .request = {}}, out, err), 0)
      << out.str() << err.str();
  EXPECT_THAT(out.str(), HasSubstr("every decision and every history is as recorded"));
  EXPECT_THAT(out.str(), HasSubstr("rule 1: "));
  ExpectIdentical(1);
}

TEST_F(JournalTest, AKilledBridgeLeavesAJournalThatReadsAndItsSuccessorGoesOnInIt) {
  rig_.Guest().SetAvailable(8 * kMiB);
  ASSERT_TRUE(rig_.BalloonBecomes(0));
  ASSERT_TRUE(IsRecorded(policy::Rule::kCriticalRelease)) << "not within seconds";
  rig_.Bridge().Kill();
  ExpectIdentical(1);
  // As when the kill had fallen in the middle of a block.
  const std::string half_block("BJ\x01\x00\x40\x00", 6);
  std::ofstream(rig_.Journal(), std::ios::app | std::ios::binary) << half_block;
  const auto cut = Replay();
  ASSERT_TRUE(cut.ok());
  ASSERT_TRUE(cut->cut.has_value());
  EXPECT_THAT(*cut->cut, HasSubstr("cut at byte "));
  EXPECT_EQ(cut->different_entries, 0);

  rig_.Guest().SetAvailable(150 * kMiB);
  StartBridge();
  ASSERT_TRUE(rig_.StopBridge());
  ExpectIdentical(2);
  EXPECT_EQ(Replay()->damage_count, 1) << "the block that was cut";
}

TEST_F(JournalTest, AJournalThatCannotBeWrittenKeepsNobodyFromHelping) {
  ASSERT_TRUE(rig_.StopBridge());
  std::remove(rig_.Journal().c_str());
  std::ofstream(rig_.Journal()) << "somebody's file\n";
  StartBridge();
  rig_.Guest().SetAvailable(8 * kMiB);
  EXPECT_TRUE(rig_.BalloonBecomes(0));
  EXPECT_TRUE(rig_.BridgeSays("is there already and is no journal"));
  EXPECT_TRUE(rig_.StopBridge());
}

}  // namespace
}  // namespace ballast::process
