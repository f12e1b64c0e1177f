#include "host-bridge/record/recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <mutex>

#include "tests/common/journal/scratch.h"
#include "tests/host-bridge/policy/random_world.h"
#include "tests/host-bridge/record/journal_world.h"

namespace ballast::record {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RecorderTest : public ::testing::Test {
 protected:
  Recorder::LogSink Log() {
    return [this](LogLevel, const std::string& line) {
      const std::lock_guard lock(mutex_);
      lines_.push_back(line);
    };
  }
  std::vector<std::string> Lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  bool Said(const std::string& text) {
    const std::vector<std::string> lines = Lines();
    return std::any_of(lines.begin(), lines.end(),
                       [&](const std::string& line) { return line.find(text) != std::string::npos; });
  }
  uint64_t played_ = 0;  // entries, by the two below
  // Feeds the recorder, and lets it come to writing.
  void PlayUntilPlayed(int entries, Recorder& recorder) {
    PlayWorld(entries, &recorder);
    played_ += static_cast<uint64_t>(entries);
    std::this_thread::yield();
  }
  // Feeds the recorder until it says so.
  void PlayUntilSaid(const std::string& text, Recorder& recorder) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!Said(text)) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "never said: " << text;
      PlayWorld(5, &recorder);
      played_ += 5;
    }
  }

  const journal::Scratch scratch_;
  const std::string path_ = scratch_.Path("journal");

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

TEST_F(RecorderTest, WritesDownWhatWasDecidedAndOnWhat) {
  std::vector<RecordedEntry> played;
  {
    Recorder recorder(RecorderAt(path_), Log());
    played = PlayWorld(100, &recorder);
  }
  const ReadJournal journal = ReadJournalAt(path_);
  EXPECT_EQ(journal.entries, played);
  EXPECT_THAT(journal.damage, IsEmpty());
  EXPECT_EQ(journal.headers, 1);
  EXPECT_EQ(journal.header.ballast_version, "test");
  EXPECT_EQ(journal.header.written_at, played[0].now);
  EXPECT_GT(journal.header.written_unix_ms, 1'600'000'000'000);
  EXPECT_THAT(Lines(), IsEmpty());
}

TEST_F(RecorderTest, ASecondRunGoesOnInTheSameFile) {
  for (int run = 0; run < 2; ++run) {
    Recorder recorder(RecorderAt(path_), Log());
    PlayWorld(5, &recorder);
  }
  const ReadJournal journal = ReadJournalAt(path_);
  EXPECT_THAT(journal.entries, SizeIs(10));
  EXPECT_EQ(journal.headers, 2);
}

TEST_F(RecorderTest, AFullFileBecomesTheOldOneAndBothStandForThemselves) {
  RecorderOptions options = RecorderAt(path_);
  options.file.max_bytes = 6000;
  options.frame_entries = 10;
  std::vector<RecordedEntry> played;
  {
    Recorder recorder(options, Log());
    played = PlayWorld(300, &recorder);
  }
  const ReadJournal old = ReadJournalAt(path_ + ".1");
  const ReadJournal present = ReadJournalAt(path_);
  ASSERT_FALSE(old.entries.empty() || present.entries.empty());
  EXPECT_THAT(old.damage, IsEmpty());
  EXPECT_THAT(present.damage, IsEmpty());
  EXPECT_EQ(old.headers, 1);
  EXPECT_EQ(present.headers, 1);
  EXPECT_EQ(present.entries.back(), played.back());
  EXPECT_EQ(old.entries.back().now + Seconds(1), present.entries.front().now);
}

TEST_F(RecorderTest, ADamagedByteCostsOneFrame) {
  RecorderOptions options = RecorderAt(path_);
  options.frame_entries = 20;
  {
    Recorder recorder(options, Log());
    PlayWorld(100, &recorder);
  }
  std::string bytes = journal::ReadAll(path_);
  bytes[bytes.size() / 2] ^= 4;
  journal::WriteAll(path_, bytes);
  const ReadJournal journal = ReadJournalAt(path_);
  EXPECT_THAT(journal.damage, SizeIs(1));
  EXPECT_THAT(journal.entries, SizeIs(80));
}

TEST_F(RecorderTest, WhatCannotBeOpenedIsSaidOnceAndTriedAgain) {
  const std::string path = scratch_.Path("not-yet/journal");
  RecorderOptions options = RecorderAt(path);
  options.retry_after = Nanos{0};
  options.max_waiting_bytes = 20'000;  // a few entries wake the recorder
  {
    Recorder recorder(options, Log());
    PlayUntilSaid("No such file or directory; decisions go on unrecorded", recorder);
    PlayWorld(50, &recorder);
    std::filesystem::create_directory(scratch_.Path("not-yet"));
    PlayUntilSaid("recording goes on; ", recorder);
  }
  const std::vector<std::string> lines = Lines();
  EXPECT_EQ(
      std::count_if(lines.begin(), lines.end(),
                    [](const std::string& line) { return line.find("No such file") != std::string::npos; }),
      1);
  const ReadJournal journal = ReadJournalAt(path);
  EXPECT_FALSE(journal.entries.empty());
  ASSERT_FALSE(journal.gaps.empty());
  EXPECT_GE(journal.gaps[0], 1u);
}

// A limit of the process stands for a full disk.
TEST_F(RecorderTest, AFullDiskCostsEntriesAndNothingElse) {
  std::signal(SIGXFSZ, SIG_IGN);
  RecorderOptions options = RecorderAt(path_);
  options.retry_after = Nanos{0};
  options.max_waiting_bytes = 20'000;
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  {
    Recorder recorder(options, Log());
    const rlimit tight{3000, old.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
    PlayUntilSaid("File too large; decisions go on unrecorded", recorder);
    // Each of these is tried, and each try says of the losses what it cannot write either.
    for (int round = 0; round < 100; ++round) PlayUntilPlayed(5, recorder);
    EXPECT_FALSE(Said("recording goes on")) << "nothing has reached the file";
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
    PlayUntilSaid("recording goes on; ", recorder);
  }
  const ReadJournal journal = ReadJournalAt(path_);
  EXPECT_THAT(journal.damage, IsEmpty()) << "the half block was cut off";
  uint64_t lost = 0;
  for (const uint64_t gap : journal.gaps) lost += gap;
  EXPECT_EQ(journal.entries.size() + lost, played_) << "every entry is there or counted";
}

TEST_F(RecorderTest, WhatDoesNotFitIsCountedInTheJournal) {
  RecorderOptions options = RecorderAt(path_);
  options.max_waiting_bytes = 1;
  constexpr int kRecorded = 2000;
  {
    Recorder recorder(options, Log());
    PlayWorld(kRecorded, &recorder);
  }
  const ReadJournal journal = ReadJournalAt(path_);
  uint64_t lost = 0;
  for (const uint64_t gap : journal.gaps) lost += gap;
  EXPECT_EQ(journal.entries.size() + lost, static_cast<size_t>(kRecorded));
  EXPECT_GT(lost, 0u) << "one entry at a time cannot keep up with a loop that does nothing else";
  EXPECT_THAT(Lines(), ElementsAre(HasSubstr("too slow")));
}

// The figures of docs/journal.md. Guests report every 10 s, their VMM is read every 5 s, the host every
// second.
double BytesPerGuestHour(const std::string& path, int guests, bool busy, Recorder::LogSink log) {
  RecorderOptions options = RecorderAt(path);
  options.max_waiting_bytes = int64_t{1} << 40;  // twenty minutes arrive within a second
  policy::RandomWorld random(7);
  policy::World world;
  for (int i = 0; i < guests; ++i) {
    world.With(policy::Guest("guest-" + std::to_string(i)).Boot(4 * kGiB).Available(2 * kGiB));
  }
  constexpr int kSeconds = 1200;
  const int per_second = busy ? 10 : 1;
  {
    Recorder recorder(options, std::move(log));
    for (int step = 0; step < kSeconds * per_second; ++step) {
      world.now = world.now + Milliseconds(1000 / per_second);
      if (step % per_second == 0) {
        world.snapshot.host->at = world.now;
        world.snapshot.host->value.available_bytes += random.Between(-1000, 1000) * 4 * kKiB;
      }
      for (size_t i = 0; i < world.snapshot.guests.size(); ++i) {
        policy::GuestFacts& facts = world.snapshot.guests[i];
        const auto due = [&](int every) { return (step + static_cast<int>(i)) % every == 0; };
        if (due(5 * per_second)) facts.vmm->at = world.now;
        if (!due(busy ? 1 : 10)) continue;
        policy::GuestReading& reading = facts.report->value;
        facts.report->at = world.now - Microseconds(random.Between(50, 500));
        reading.available_bytes = 2 * kGiB + random.Between(-10'000, 10'000) * 4 * kKiB;
        reading.free_bytes = reading.available_bytes - kMiB * random.Between(0, 100);
        reading.consumption_bytes_per_second = random.Between(-1000, 1000) * 4 * kKiB;
      }
      const policy::Snapshot snapshot = world.snapshot;
      recorder.Record(snapshot, world.now, world.Tick());
    }
  }
  const double hours = kSeconds / 3600.0;
  return static_cast<double>(std::filesystem::file_size(path)) / hours / guests;
}

TEST_F(RecorderTest, TakesTheRoomTheDocumentationSays) {
  const double quiet = BytesPerGuestHour(scratch_.Path("quiet"), 20, false, Log());
  const double alone = BytesPerGuestHour(scratch_.Path("alone"), 1, false, Log());
  const double busy = BytesPerGuestHour(scratch_.Path("busy"), 20, true, Log());
  RecordProperty("quiet_bytes_per_guest_hour", static_cast<int>(quiet));
  RecordProperty("busy_bytes_per_guest_hour", static_cast<int>(busy));
  std::printf("bytes a guest and hour: %.0f quiet, %.0f the only one, %.0f reporting ten times a second\n",
              quiet, alone, busy);
  EXPECT_LT(quiet, 40'000);
  EXPECT_LT(alone, 200'000);
  EXPECT_LT(busy, 1'500'000);
  EXPECT_THAT(Lines(), IsEmpty());
}

}  // namespace
}  // namespace ballast::record
