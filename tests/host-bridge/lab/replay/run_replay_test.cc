#include "host-bridge/lab/replay/run_replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/common/journal/scratch.h"
#include "tests/host-bridge/record/journal_world.h"

namespace ballast::replay {
namespace {

using ::testing::HasSubstr;

class ReplayCommandTest : public ::testing::Test {
 protected:
  int Run() { return RunReplay(options_, out_, err_); }
  void Record() {
    record::Recorder recorder(record::RecorderAt(options_.journal), [](LogLevel, const std::string&) {});
    record::PlayWorld(20, &recorder);
  }

  const journal::Scratch scratch_;
  ReplayOptions options_{.journal = scratch_.Path("journal"), .request = {}};
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(ReplayCommandTest, IsContentWhenAllIsAsRecorded) {
  Record();
  EXPECT_EQ(Run(), 0);
  EXPECT_THAT(out_.str(), HasSubstr("20 entries over 19.000 s"));
  EXPECT_EQ(err_.str(), "");
}

TEST_F(ReplayCommandTest, ACutJournalIsNoFault) {
  Record();
  const std::string bytes = journal::ReadAll(options_.journal);
  journal::WriteAll(options_.journal, bytes + "BJ\x01");
  EXPECT_EQ(Run(), 0);
  EXPECT_THAT(out_.str(), HasSubstr("cut at byte " + std::to_string(bytes.size()) + ", after 20 entries"));
}

TEST_F(ReplayCommandTest, FailsWhenTheDecisionsAreNotThoseRecorded) {
  {
    record::Recorder recorder(record::RecorderAt(options_.journal), [](LogLevel, const std::string&) {});
    for (record::RecordedEntry entry : record::PlayWorld(20, nullptr)) {
      entry.outcome.decisions.clear();
      recorder.Record(entry.snapshot, entry.now, entry.outcome);
    }
  }
  EXPECT_EQ(Run(), 1);
}

TEST_F(ReplayCommandTest, ShowsWhatTheAgentsSaidOfOomKills) {
  {
    record::Recorder recorder(record::RecorderAt(options_.journal), [](LogLevel, const std::string&) {});
    policy::OomVerdict verdict;
    verdict.pid = 7;
    verdict.comm = "db";
    verdict.scope = policy::OomScope::kHost;
    std::vector<policy::OomVerdict> verdicts = {verdict};
    for (const record::RecordedEntry& entry : record::PlayWorld(3, nullptr)) {
      recorder.Record(entry.snapshot, entry.now, entry.outcome, verdicts);
      verdicts.clear();
    }
  }
  EXPECT_EQ(Run(), 0);
  EXPECT_THAT(out_.str(), HasSubstr("OOM kills in the guests: 1\n"));
  EXPECT_THAT(out_.str(), HasSubstr(": OOM kill: 'db' (pid 7) was killed (scope host)\n"));
}

TEST_F(ReplayCommandTest, SaysWhatItCannotRead) {
  journal::WriteAll(options_.journal, "[bridge]\n");
  EXPECT_EQ(Run(), 2);
  EXPECT_THAT(err_.str(), HasSubstr("is no journal"));
  std::filesystem::remove(options_.journal);
  Record();
  std::string bytes = journal::ReadAll(options_.journal);
  bytes[journal::kFileHeaderBytes + 20] ^= 1;
  journal::WriteAll(options_.journal, bytes);
  EXPECT_EQ(Run(), 2);
  EXPECT_THAT(err_.str(), HasSubstr("could not be read"));
}

}  // namespace
}  // namespace ballast::replay
