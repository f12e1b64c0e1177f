#include "common/journal/journal_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "common/journal/format.h"
#include "tests/common/journal/scratch.h"

namespace ballast::journal {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::unique_ptr<JournalFile> OpenAt(const std::string& path, int64_t max_bytes = 1 << 20) {
  auto file = JournalFile::Open({path, max_bytes});
  EXPECT_TRUE(file.ok()) << file.status();
  return file.ok() ? *std::move(file) : nullptr;
}

void WriteOne(JournalFile& file, std::string_view record) {
  bool fresh = false;
  ASSERT_TRUE(file.BeginFrame(fresh).ok());
  ASSERT_TRUE(file.Append(record).ok());
  ASSERT_TRUE(file.Flush().ok());
}

TEST(JournalFile, IsForItsOwnerAlone) {
  const Scratch scratch;
  OpenAt(scratch.Path("j"));
  struct stat info {};
  ASSERT_EQ(::stat(scratch.Path("j").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST(JournalFile, FlushBringsEverythingToTheKernelAndNothingTwice) {
  const Scratch scratch;
  const auto file = OpenAt(scratch.Path("j"));
  WriteOne(*file, "record");
  const std::string written = ReadAll(scratch.Path("j"));
  EXPECT_EQ(static_cast<int64_t>(written.size()), file->size_bytes());
  EXPECT_GT(written.size(), kFileHeaderBytes + kBlockHeaderBytes);
  ASSERT_TRUE(file->Flush().ok());
  EXPECT_EQ(ReadAll(scratch.Path("j")), written);
}

TEST(JournalFile, GoesOnBehindAnEarlierJournal) {
  const Scratch scratch;
  WriteOne(*OpenAt(scratch.Path("j")), "first");
  const std::string before = ReadAll(scratch.Path("j"));
  WriteOne(*OpenAt(scratch.Path("j")), "second");
  EXPECT_THAT(ReadAll(scratch.Path("j")), StartsWith(before));
}

TEST(JournalFile, LeavesForeignFilesAlone) {
  const Scratch scratch;
  WriteAll(scratch.Path("j"), "root:x:0:0\n");
  const auto file = JournalFile::Open({scratch.Path("j"), 1 << 20});
  EXPECT_THAT(std::string(file.status().message()), HasSubstr("is no journal"));
  EXPECT_EQ(ReadAll(scratch.Path("j")), "root:x:0:0\n");
}

TEST(JournalFile, RefusesADirectoryALinkAndADevice) {
  const Scratch scratch;
  EXPECT_FALSE(JournalFile::Open({scratch.Path(""), 1 << 20}).ok());
  std::filesystem::create_symlink(scratch.Path("elsewhere"), scratch.Path("link"));
  EXPECT_FALSE(JournalFile::Open({scratch.Path("link"), 1 << 20}).ok());
  EXPECT_FALSE(std::filesystem::exists(scratch.Path("elsewhere")));
  const auto device = JournalFile::Open({"/dev/null", 1 << 20});
  EXPECT_THAT(std::string(device.status().message()), HasSubstr("no regular file"));
}

TEST(JournalFile, HasOneWriter) {
  const Scratch scratch;
  const auto first = OpenAt(scratch.Path("j"));
  const auto second = JournalFile::Open({scratch.Path("j"), 1 << 20});
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("another process"));
}

TEST(JournalFile, OfAnotherVersionIsMovedAway) {
  const Scratch scratch;
  const std::string other = std::string(kMagic) + std::string("\x07\0\0\0", 4) + "whatever";
  WriteAll(scratch.Path("j"), other);
  OpenAt(scratch.Path("j"));
  EXPECT_EQ(ReadAll(scratch.Path("j.1")), other);
  EXPECT_EQ(ReadAll(scratch.Path("j")), MakeFileHeader());
}

TEST(JournalFile, HalfAHeaderIsBegunAnewAndTheOldFileStays) {
  const Scratch scratch;
  WriteAll(scratch.Path("j.1"), "history");
  WriteAll(scratch.Path("j"), kMagic.substr(0, 5));
  OpenAt(scratch.Path("j"));
  EXPECT_EQ(ReadAll(scratch.Path("j")), MakeFileHeader());
  EXPECT_EQ(ReadAll(scratch.Path("j.1")), "history");
}

TEST(JournalFile, StartsAnewWhenFullAndKeepsOneOldFile) {
  const Scratch scratch;
  constexpr int64_t kMost = 4096;
  const auto file = OpenAt(scratch.Path("j"), kMost);
  uint32_t noise = 1;
  int new_files = 0;
  for (int i = 0; i < 200; ++i) {
    std::string record;
    for (int byte = 0; byte < 100; ++byte)
      record.push_back(static_cast<char>((noise = noise * 1664525 + 1013904223) >> 24));
    bool fresh = false;
    ASSERT_TRUE(file->BeginFrame(fresh).ok());
    new_files += fresh ? 1 : 0;
    ASSERT_TRUE(file->Append(record).ok());
    ASSERT_TRUE(file->Flush().ok());
    ASSERT_LE(std::filesystem::file_size(scratch.Path("j")), kMost + 200);
  }
  EXPECT_GE(new_files, 4);
  EXPECT_GE(std::filesystem::file_size(scratch.Path("j.1")), kMost);
  EXPECT_FALSE(std::filesystem::exists(scratch.Path("j.2")));
}

TEST(JournalFile, RefusesRecordsThatNoReaderTakesAndGoesOn) {
  const Scratch scratch;
  const auto file = OpenAt(scratch.Path("j"));
  EXPECT_FALSE(file->Append("before the first frame").ok());
  bool fresh = false;
  ASSERT_TRUE(file->BeginFrame(fresh).ok());
  EXPECT_EQ(file->Append("").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(file->Append(std::string(kMaxRecordBytes + 1, 'x')).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(file->Append("good").ok());
}

// A limit of the process stands for a full disk: the write fails in the middle of a block.
TEST(JournalFile, AFullDiskLeavesNoHalfBlock) {
  const Scratch scratch;
  std::signal(SIGXFSZ, SIG_IGN);
  const auto file = OpenAt(scratch.Path("j"));
  WriteOne(*file, "kept");
  const std::string before = ReadAll(scratch.Path("j"));
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const rlimit tight{before.size() + 5, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  bool fresh = false;
  const absl::Status begun = file->BeginFrame(fresh);
  absl::Status status = begun.ok() ? file->Append("lost") : begun;
  if (status.ok()) status = file->Flush();
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr(scratch.Path("j")));
  EXPECT_EQ(ReadAll(scratch.Path("j")), before);
}

}  // namespace
}  // namespace ballast::journal
