// The simulator's guest beside recordings of real ones.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"
#include "common/base/units.h"
#include "tests/host-bridge/lab/calibration/comparison.h"
#include "tests/host-bridge/lab/calibration/recordings.h"

namespace ballast::calibration {
namespace {

std::vector<std::string> RecordingPaths() {
  std::vector<std::string> paths;
  const std::string directory = StrCat(BALLAST_SOURCE_DIR, "/tests/host-bridge/lab/calibration/recordings");
  for (const auto& entry : std::filesystem::directory_iterator(directory)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

Recording Read(const std::string& story) {
  const auto recording = ReadRecording(
      StrCat(BALLAST_SOURCE_DIR, "/tests/host-bridge/lab/calibration/recordings/", story, ".txt"));
  EXPECT_TRUE(recording.ok()) << recording.status();
  return recording.ok() ? *recording : Recording{};
}

int Missed(const StoryComparison& comparison) {
  int missed = 0;
  for (const Row& row : comparison.rows) missed += row.holds() ? 0 : 1;
  return missed;
}

class CalibrationTest : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Recordings, CalibrationTest, testing::ValuesIn(RecordingPaths()),
                         [](const auto& row) {
                           std::string name = std::filesystem::path(row.param).stem();
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_P(CalibrationTest, TheModelDoesWhatTheGuestDid) {
  const auto recording = ReadRecording(GetParam());
  ASSERT_TRUE(recording.ok()) << recording.status();
  const StoryComparison comparison = Compare(*recording);
  EXPECT_FALSE(comparison.rows.empty()) << "nobody knows what to ask of the story " << recording->story;
  EXPECT_EQ(Missed(comparison), 0) << TextOf(comparison);
}

TEST(Calibration, AnotherGuestIsToldFromTheOneRecorded) {
  Recording larger = Read("killed");
  larger.memory_bytes += 64 * kMiB;
  EXPECT_GE(Missed(Compare(larger)), 3);
  Recording without_swap = Read("swapping");
  without_swap.zram_bytes = 0;
  EXPECT_GE(Missed(Compare(without_swap)), 2);
  Recording merciful = Read("killed");
  merciful.deflate_on_oom = true;
  EXPECT_GE(Missed(Compare(merciful)), 2);
}

TEST(Calibration, TheTableInTheDocumentationIsThisOne) {
  std::ifstream file(StrCat(BALLAST_SOURCE_DIR, "/docs/results/calibration.txt"));
  const std::string documented{std::istreambuf_iterator<char>(file), {}};
  const auto recordings = ReadRecordings(RecordingPaths());
  ASSERT_TRUE(recordings.ok()) << recordings.status();
  EXPECT_EQ(documented, ReportOf(*recordings)) << "its first lines say how it is made";
}

}  // namespace
}  // namespace ballast::calibration
