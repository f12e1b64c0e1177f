#include "common/journal/journal_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "common/journal/journal_file.h"
#include "common/journal/zstd_stream.h"
#include "tests/common/journal/scratch.h"

namespace ballast::journal {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct Contents {
  std::vector<std::string> records;
  std::vector<std::string> damage;
  std::optional<int64_t> cut_at;
  std::string refused;  // why it could not be opened
};

Contents ReadJournal(const std::string& path) {
  Contents contents;
  auto reader = JournalReader::Open(path);
  if (!reader.ok()) {
    contents.refused = std::string(reader.status().message());
    return contents;
  }
  while (true) {
    const auto step = (*reader)->Next();
    if (step == JournalReader::Step::kRecord) contents.records.emplace_back((*reader)->record());
    if (step == JournalReader::Step::kDamage) contents.damage.push_back((*reader)->damage());
    if (step == JournalReader::Step::kEnd) break;
  }
  contents.cut_at = (*reader)->cut_at();
  return contents;
}

class ReaderTest : public ::testing::Test {
 protected:
  // Frames of flushed records; where each record's last block ends.
  void WriteFrames(const std::vector<std::vector<std::string>>& frames) {
    auto file = JournalFile::Open({path_, 1 << 20});
    ASSERT_TRUE(file.ok());
    for (const auto& frame : frames) {
      bool fresh = false;
      ASSERT_TRUE((*file)->BeginFrame(fresh).ok());
      for (const std::string& record : frame) {
        ASSERT_TRUE((*file)->Append(record).ok());
        ASSERT_TRUE((*file)->Flush().ok());
        ends_.push_back((*file)->size_bytes());
      }
    }
    ASSERT_TRUE((*file)->Close().ok());
    bytes_ = ReadAll(path_);
  }
  Contents ReadBytes(std::string_view bytes) {
    WriteAll(scratch_.Path("changed"), bytes);
    return ReadJournal(scratch_.Path("changed"));
  }
  [[nodiscard]] size_t RecordsBefore(size_t size) const {
    return static_cast<size_t>(std::count_if(ends_.begin(), ends_.end(),
                                             [&](int64_t end) { return end <= static_cast<int64_t>(size); }));
  }

  const Scratch scratch_;
  const std::string path_ = scratch_.Path("j");
  std::vector<int64_t> ends_;
  std::string bytes_;
};

const std::vector<std::vector<std::string>> kFrames = {{"alpha", "beta", std::string(300, 'g')},
                                                       {"delta", "epsilon"}};
const std::vector<std::string> kRecords = {"alpha", "beta", std::string(300, 'g'), "delta", "epsilon"};

TEST_F(ReaderTest, ReadsBackWhatWasWritten) {
  WriteFrames(kFrames);
  const Contents contents = ReadBytes(bytes_);
  EXPECT_THAT(contents.records, ElementsAreArray(kRecords));
  EXPECT_THAT(contents.damage, IsEmpty());
  EXPECT_FALSE(contents.cut_at.has_value());
}

TEST_F(ReaderTest, CutAnywhereIsReadUpToTheCut) {
  WriteFrames(kFrames);
  for (size_t size = 0; size < bytes_.size(); ++size) {
    SCOPED_TRACE(size);
    const Contents contents = ReadBytes(bytes_.substr(0, size));
    if (size < kFileHeaderBytes) {
      EXPECT_THAT(contents.refused, HasSubstr(size == 0 ? "is empty" : "cut within the file's header"));
      continue;
    }
    EXPECT_EQ(contents.refused, "");
    ASSERT_THAT(contents.records, SizeIs(RecordsBefore(size)));
    EXPECT_TRUE(std::equal(contents.records.begin(), contents.records.end(), kRecords.begin()));
    EXPECT_THAT(contents.damage, IsEmpty());
    if (contents.cut_at) {
      EXPECT_LT(*contents.cut_at, static_cast<int64_t>(size));
    } else {
      EXPECT_EQ(MakeFileHeader(), bytes_.substr(0, kFileHeaderBytes));
    }
  }
}

TEST_F(ReaderTest, EveryFlippedBitIsFoundAndCostsOneFrameAtMost) {
  WriteFrames(kFrames);
  for (size_t at = 0; at < bytes_.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      SCOPED_TRACE(testing::Message() << "byte " << at << " bit " << bit);
      std::string bytes = bytes_;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
      const Contents contents = ReadBytes(bytes);
      if (at < kFileHeaderBytes) {
        EXPECT_THAT(contents.refused, HasSubstr("changed: byte "));
        continue;
      }
      ASSERT_TRUE(!contents.damage.empty() || contents.cut_at) << "nobody noticed";
      const bool in_first = static_cast<int64_t>(at) < ends_[2];
      for (const std::string& record : contents.records) {
        ASSERT_THAT(kRecords, testing::Contains(record)) << "a record that was never written";
      }
      if (in_first) {
        EXPECT_THAT(contents.records, testing::IsSupersetOf({"delta", "epsilon"}));
        EXPECT_THAT(contents.damage, ElementsAre(HasSubstr("changed: byte ")));
      } else {
        EXPECT_THAT(contents.records, testing::IsSupersetOf({kRecords[0], kRecords[1], kRecords[2]}));
      }
    }
  }
}

TEST_F(ReaderTest, NamesTheByteOfTheDamagedBlockAndWhereReadingGoesOn) {
  WriteFrames(kFrames);
  std::string bytes = bytes_;
  bytes[static_cast<size_t>(ends_[0]) + kBlockHeaderBytes] ^= 1;
  EXPECT_THAT(ReadBytes(bytes).damage,
              ElementsAre(AllOf(HasSubstr("byte " + std::to_string(ends_[0]) + ": a damaged block"),
                                HasSubstr("reading goes on at byte "))));
}

// A run that was killed in the middle of a block, and the next one that appended to it.
TEST_F(ReaderTest, AHalfBlockBetweenTwoRunsCostsNothingElse) {
  WriteFrames({{"first", "second"}});
  const std::string run = bytes_;
  std::string bytes = run.substr(0, static_cast<size_t>(ends_[0]) + 5) + run.substr(kFileHeaderBytes);
  const Contents contents = ReadBytes(bytes);
  EXPECT_THAT(contents.records, ElementsAre("first", "first", "second"));
  EXPECT_THAT(contents.damage, SizeIs(1));
}

TEST_F(ReaderTest, RecordsLargerThanABlockAreOneRecord) {
  std::string noise;
  for (uint32_t value = 1; noise.size() < 300'000; value = value * 1664525 + 1013904223) {
    noise.push_back(static_cast<char>(value >> 24));
  }
  WriteFrames({{noise, "after"}});
  EXPECT_THAT(ReadBytes(bytes_).records, ElementsAre(noise, "after"));
  const Contents cut = ReadBytes(bytes_.substr(0, kFileHeaderBytes + kBlockHeaderBytes + kMaxPayloadBytes));
  EXPECT_THAT(cut.records, IsEmpty());
  EXPECT_TRUE(cut.cut_at.has_value()) << "the file ends within a record, though not within a block";
}

TEST_F(ReaderTest, SaysWhatIsWrongWithOtherFiles) {
  EXPECT_THAT(ReadBytes("").refused, HasSubstr("is empty; a journal begins with BALLASTJ"));
  EXPECT_THAT(ReadBytes("# a text, not a journal\n").refused, HasSubstr("is no journal of ballast-bridge"));
  EXPECT_THAT(ReadBytes(std::string(kMagic) + std::string("\x02\0\0\0", 4)).refused,
              HasSubstr("format version 2; this program reads version 1: use a newer one"));
  EXPECT_THAT(ReadJournal("/nowhere/at/all").refused, HasSubstr("/nowhere/at/all"));
  EXPECT_THAT(ReadJournal("/").refused, HasSubstr("is no regular file"));
}

// 64 KiB of zstd can say "four gigabytes of zeros". A length that no record has ends it at the first one.
TEST_F(ReaderTest, AHostileFrameDoesNotFillTheMemory) {
  Compressor compressor;
  std::string payload;
  compressor.Begin();
  const std::string zeros(1 << 20, '\0');
  for (int i = 0; i < 1024; ++i) ASSERT_TRUE(compressor.Add(zeros, Compressor::Until::kMore, payload).ok());
  ASSERT_TRUE(compressor.Add({}, Compressor::Until::kEnd, payload).ok());
  ASSERT_LE(payload.size(), kMaxPayloadBytes);
  const Contents contents = ReadBytes(MakeFileHeader() + MakeBlock(kBeginsFrame, payload));
  EXPECT_THAT(contents.damage, ElementsAre(HasSubstr("a record of 0 bytes; allowed are 1 to ")));
}

TEST_F(ReaderTest, ARecordThatClaimsGigabytesIsRefusedUnread) {
  Compressor compressor;
  std::string payload;
  compressor.Begin();
  ASSERT_TRUE(compressor.Add("\xFF\xFF\xFF\xFF\x0F", Compressor::Until::kEnd, payload).ok());
  EXPECT_THAT(ReadBytes(MakeFileHeader() + MakeBlock(kBeginsFrame, payload)).damage,
              ElementsAre(HasSubstr("a record of 4294967295 bytes")));
  payload.clear();
  compressor.Begin();
  ASSERT_TRUE(compressor.Add("\xFF\xFF\xFF\xFF\xFF\xFF", Compressor::Until::kEnd, payload).ok());
  EXPECT_THAT(ReadBytes(MakeFileHeader() + MakeBlock(kBeginsFrame, payload)).damage,
              ElementsAre(HasSubstr("more than five bytes")));
}

TEST_F(ReaderTest, PayloadsThatAreNoZstdAreDamage) {
  WriteFrames({{"good"}});
  const Contents contents = ReadBytes(MakeFileHeader() + MakeBlock(kBeginsFrame, "this is no zstd frame") +
                                      bytes_.substr(kFileHeaderBytes));
  EXPECT_THAT(contents.damage, ElementsAre(HasSubstr("zstd: ")));
  EXPECT_THAT(contents.records, ElementsAre("good"));
}

// Thousands of places that look like blocks: looking for a good one ends.
TEST_F(ReaderTest, AFileFullOfFalseBlocksIsGivenUp) {
  std::string bytes = MakeFileHeader();
  std::string fake = MakeBlock(kBeginsFrame, "x").substr(0, kBlockHeaderBytes);
  for (int i = 0; i < 20'000; ++i) bytes += fake;
  EXPECT_THAT(ReadBytes(bytes).damage, ElementsAre(HasSubstr("no later part can be read")));
}

}  // namespace
}  // namespace ballast::journal
