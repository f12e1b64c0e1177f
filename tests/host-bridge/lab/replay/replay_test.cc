#include "host-bridge/lab/replay/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host-bridge/lab/replay/replay_text.h"
#include "tests/common/journal/scratch.h"
#include "tests/host-bridge/policy/random_world.h"
#include "tests/host-bridge/record/journal_world.h"

namespace ballast::replay {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ReplayTest : public ::testing::Test {
 protected:
  void Record(int seconds = 60) {
    record::Recorder recorder(record::RecorderAt(path_), [](LogLevel, const std::string&) {});
    record::PlayWorld(seconds, &recorder);
  }
  ReplayReport Run(const ReplayRequest& request) {
    auto journal = record::JournalStream::Open(path_);
    EXPECT_TRUE(journal.ok()) << journal.status();
    auto report = Replay(*journal, request);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *std::move(report) : ReplayReport{};
  }
  // Never critical, pressed only when nothing is left: such a policy does not help the guest at its 10th
  // second.
  static absl::Status Sleepy(policy::PolicyConfig& policy) {
    policy.critical_permyriad = policy.pressed_permyriad = 0;
    policy.critical_min_bytes = policy.critical_max_bytes = 0;
    policy.pressed_min_bytes = policy.pressed_max_bytes = 0;
    policy.exhaustion_horizon = {0};
    return absl::OkStatus();
  }

  const journal::Scratch scratch_;
  const std::string path_ = scratch_.Path("journal");
};

TEST_F(ReplayTest, TheRecordedPolicyDecidesTheSameInBothModes) {
  Record();
  for (const HistoryMode mode : {HistoryMode::kAsRecorded, HistoryMode::kCarried}) {
    const ReplayReport report = Run({.mode = mode});
    EXPECT_EQ(report.entries, 60);
    EXPECT_EQ(report.different_entries, 0) << TextOf(report);
    EXPECT_TRUE(report.same_policy);
    EXPECT_EQ(report.recorded, report.replayed);
    EXPECT_FALSE(report.recorded.empty()) << "nothing was decided";
    EXPECT_THAT(TextOf(report), HasSubstr("every decision and every history is as recorded"));
  }
}

// Random worlds, where guests also lose their VMM and start anew: carried histories are still those recorded.
TEST_F(ReplayTest, RandomWorldsWhoseHistoriesAreResetAreCarriedExactly) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    const std::string path = scratch_.Path(std::to_string(seed));
    policy::RandomWorld random(seed);
    policy::World world = random.Make();
    {
      record::RecorderOptions options = record::RecorderAt(path);
      options.header.policy = world.config;
      options.frame_entries = 7;
      record::Recorder recorder(options, [](LogLevel, const std::string&) {});
      for (int tick = 0; tick < 40; ++tick) {
        if (random.OneIn(5)) world.snapshot.guests[0].history = {};
        const policy::Snapshot snapshot = world.snapshot;
        recorder.Record(snapshot, world.now, world.Tick());
        random.Disturb(world);
      }
    }
    auto journal = record::JournalStream::Open(path);
    ASSERT_TRUE(journal.ok());
    const auto report = Replay(*journal, {.mode = HistoryMode::kCarried});
    ASSERT_TRUE(report.ok());
    EXPECT_EQ(report->entries, 40);
    EXPECT_EQ(report->different_entries, 0) << TextOf(*report);
  }
}

TEST_F(ReplayTest, AnotherPolicyIsShownInWords) {
  Record();
  const ReplayReport report = Run({.mode = HistoryMode::kAsRecorded, .change_policy = Sleepy});
  EXPECT_FALSE(report.same_policy);
  ASSERT_FALSE(report.changes.empty());
  const Change& change = report.changes[0];
  EXPECT_EQ(change.entry, 11);
  EXPECT_EQ(change.guest, "web");
  const auto* recorded = std::get_if<policy::Decision>(&change.recorded);
  ASSERT_NE(recorded, nullptr);
  EXPECT_EQ(recorded->reason.rule, policy::Rule::kCriticalRelease);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(change.replayed));
  EXPECT_THAT(TextOf(report),
              AllOf(HasSubstr("entry 11, after 10.000 s"), HasSubstr("was:      web: gives 768MiB"),
                    HasSubstr("would be: web: nothing done"), HasSubstr("rule 1: 1, 0")));
}

TEST_F(ReplayTest, WhatWouldBePluggedIsShownToo) {
  {
    record::Recorder recorder(record::RecorderAt(path_), [](LogLevel, const std::string&) {});
    policy::World world;
    world.With(policy::Guest("web").Plugged(0, 8 * kGiB).Available(150 * kMiB).Consumption(50 * kMiB));
    for (const int64_t available : {150 * kMiB, 90 * kMiB}) {
      world.Report("web").available_bytes = available;
      world.Later(Seconds(1));
      const policy::Snapshot snapshot = world.snapshot;
      recorder.Record(snapshot, world.now, world.Tick());
    }
  }
  ASSERT_EQ(Run({}).different_entries, 0);
  const ReplayReport report = Run({.change_policy = [](policy::PolicyConfig& policy) {
    policy.plug_horizon = Seconds(3);
    return absl::OkStatus();
  }});
  ASSERT_THAT(report.changes, SizeIs(2)) << TextOf(report);
  EXPECT_EQ(report.changed_decisions, 2);
  EXPECT_THAT(TextOf(report),
              AllOf(HasSubstr("after 0.000 s\n  was:      web: nothing done\n  would be: web: plugs 256MiB, "
                              "plugged 0B -> 256MiB"),
                    HasSubstr("after 1.000 s\n  was:      web: plugs 128MiB, plugged 0B -> 128MiB"),
                    HasSubstr("would be: web: plugs 256MiB, plugged 0B -> 256MiB")));
}

// A policy that would have helped at once: as recorded it says so at each entry until the recorded one acts
// too, which is told as one change; carried it acts once.
TEST_F(ReplayTest, RepetitionsAreOneChangeAndCarriedHistoriesEndThem) {
  const auto early = [](policy::PolicyConfig& policy) {
    policy.critical_permyriad = policy.pressed_permyriad = 9000;
    policy.critical_max_bytes = policy.pressed_max_bytes = kGiB;
    policy.critical_min_bytes = policy.pressed_min_bytes = kGiB;
    return absl::OkStatus();
  };
  {
    record::Recorder recorder(record::RecorderAt(path_), [](LogLevel, const std::string&) {});
    policy::World world;
    world.With(policy::Guest("web").Balloon(768 * kMiB).Available(100 * kMiB));
    for (int tick = 0; tick < 20; ++tick) {
      const policy::Snapshot snapshot = world.snapshot;
      recorder.Record(snapshot, world.now, world.Tick());
      world.Later(Milliseconds(100));  // several within the time after which a stuck grant is sent again
    }
  }
  const ReplayReport as_recorded = Run({.mode = HistoryMode::kAsRecorded, .change_policy = early});
  ASSERT_THAT(as_recorded.changes, SizeIs(1)) << TextOf(as_recorded);
  EXPECT_EQ(as_recorded.changes[0].repeated, 19);
  EXPECT_THAT(TextOf(as_recorded), HasSubstr("and in 19 more"));
  const ReplayReport carried = Run({.mode = HistoryMode::kCarried, .change_policy = early});
  EXPECT_LT(carried.changed_decisions, as_recorded.changed_decisions);
  EXPECT_GE(carried.changed_decisions, 1);
}

// Recorded by a program that decides otherwise: here one that never saw the shortage.
TEST_F(ReplayTest, AFirstDifferenceNamesEntryFieldAndBothValues) {
  {
    record::Recorder recorder(record::RecorderAt(path_), [](LogLevel, const std::string&) {});
    for (record::RecordedEntry entry : record::PlayWorld(20, nullptr)) {
      for (policy::Decision& decision : entry.outcome.decisions) decision.target = {4 * kMiB};
      recorder.Record(entry.snapshot, entry.now, entry.outcome);
    }
  }
  const ReplayReport report = Run({});
  ASSERT_TRUE(report.first.has_value());
  EXPECT_EQ(report.first->entry, 11);
  EXPECT_THAT(TextOf(report),
              HasSubstr("first difference: entry 11, guest web, decision.target_bytes: recorded "
                        "4194304, replayed 0"));
}

TEST_F(ReplayTest, GapsAndDamageAreToldAndTheRestIsReplayed) {
  {
    record::RecorderOptions options = record::RecorderAt(path_);
    options.frame_entries = 20;
    record::Recorder recorder(options, [](LogLevel, const std::string&) {});
    record::PlayWorld(100, &recorder);
  }
  std::string bytes = journal::ReadAll(path_);
  bytes[bytes.size() / 2] ^= 1;
  journal::WriteAll(path_, bytes);
  const ReplayReport report = Run({.mode = HistoryMode::kCarried});
  EXPECT_EQ(report.damage_count, 1);
  EXPECT_EQ(report.entries, 80);
  EXPECT_EQ(report.different_entries, 0) << TextOf(report);
  EXPECT_THAT(TextOf(report), HasSubstr("damaged: "));
}

TEST_F(ReplayTest, AnInvalidPolicyIsRefusedWithAllItsFaults) {
  Record(3);
  auto journal = record::JournalStream::Open(path_);
  ASSERT_TRUE(journal.ok());
  const auto report = Replay(*journal, {.change_policy = [](policy::PolicyConfig& policy) {
    policy.lease = {-1};
    policy.max_step_bytes = -1;
    return absl::OkStatus();
  }});
  EXPECT_THAT(std::string(report.status().message()), AllOf(HasSubstr("lease"), HasSubstr("max_step_bytes")));
}

}  // namespace
}  // namespace ballast::replay
