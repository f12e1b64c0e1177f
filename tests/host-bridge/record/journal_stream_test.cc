#include "host-bridge/record/journal_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/journal/journal_file.h"
#include "tests/common/journal/scratch.h"
#include "tests/host-bridge/record/journal_world.h"

namespace ballast::record {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class StreamTest : public ::testing::Test {
 protected:
  // Each record in a frame of its own.
  void Write(const std::vector<std::string>& records) {
    auto file = journal::JournalFile::Open({path_, 1 << 20});
    ASSERT_TRUE(file.ok());
    for (const std::string& record : records) {
      bool fresh = false;
      ASSERT_TRUE((*file)->BeginFrame(fresh).ok());
      ASSERT_TRUE((*file)->Append(record).ok());
    }
    ASSERT_TRUE((*file)->Close().ok());
  }
  static std::string FullEntry() {
    journal::v1::Record record;
    record.mutable_entry()->set_full(true);
    record.mutable_entry()->set_now_ns(5);
    return record.SerializeAsString();
  }

  const journal::Scratch scratch_;
  const std::string path_ = scratch_.Path("journal");
};

TEST_F(StreamTest, BytesThatAreNoRecordAreNamedByTheirBlock) {
  Write({"\xFF\xFF\xFF", FullEntry()});
  const ReadJournal journal = ReadJournalAt(path_);
  EXPECT_THAT(journal.damage, ElementsAre(AllOf(HasSubstr("byte 12: "), HasSubstr("are no such message"))));
  EXPECT_THAT(journal.entries, SizeIs(1));
}

TEST_F(StreamTest, AFieldOutOfRangeIsNamedAndTheNextFrameRead) {
  journal::v1::Record bad;
  bad.mutable_entry()->set_full(true);
  bad.mutable_entry()->set_guest_count(kMaxGuests + 1);
  Write({bad.SerializeAsString(), FullEntry()});
  const ReadJournal journal = ReadJournalAt(path_);
  EXPECT_THAT(journal.damage, ElementsAre(HasSubstr("Entry.guest_count: 65537 is out of range")));
  EXPECT_THAT(journal.entries, SizeIs(1));
}

TEST_F(StreamTest, RecordsOfAKindToComeAreIgnored) {
  const std::string of_the_future("\xFA\x01\x02hi", 5);  // field 31, two bytes
  Write({of_the_future, FullEntry()});
  const ReadJournal journal = ReadJournalAt(path_);
  EXPECT_THAT(journal.damage, IsEmpty());
  EXPECT_THAT(journal.entries, SizeIs(1));
}

TEST_F(StreamTest, ADeltaInANewFrameIsRefusedThoughAnEntryCameBefore) {
  journal::v1::Record delta;
  delta.mutable_entry()->set_now_ns(6);
  Write({FullEntry(), delta.SerializeAsString()});
  EXPECT_THAT(ReadJournalAt(path_).damage, ElementsAre(HasSubstr("must be full")));
}

TEST_F(StreamTest, CutAnywhereTellsHowManyEntriesWereRead) {
  std::vector<RecordedEntry> played;
  {
    RecorderOptions options = RecorderAt(path_);
    options.frame_entries = 5;
    options.max_waiting_bytes = 1;
    Recorder recorder(options, [](LogLevel, const std::string&) {});
    played = PlayWorld(15, &recorder);
  }
  const std::string bytes = journal::ReadAll(path_);
  const size_t whole = ReadJournalAt(path_).entries.size();
  size_t most = 0;
  for (size_t size = journal::kFileHeaderBytes; size < bytes.size(); ++size) {
    journal::WriteAll(path_, std::string_view(bytes).substr(0, size));
    const ReadJournal journal = ReadJournalAt(path_);
    ASSERT_THAT(journal.damage, IsEmpty()) << size;
    ASSERT_GE(journal.entries.size(), most) << "more of the file, fewer entries";
    most = journal.entries.size();
    if (journal.cut) {
      ASSERT_THAT(*journal.cut,
                  AllOf(HasSubstr("cut at byte "), HasSubstr("after " + std::to_string(most) + " entries")));
    }
  }
  EXPECT_LE(most, whole);
}

}  // namespace
}  // namespace ballast::record
