// What is decided does not change by being recorded (invariant I7): over random worlds, entry after entry.
#include "host-bridge/record/entry_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host-bridge/policy/decide.h"
#include "tests/host-bridge/policy/random_world.h"
#include "tests/host-bridge/record/distinct.h"

namespace ballast::record {
namespace {

using policy::RandomWorld;
using policy::World;
using ::testing::HasSubstr;

constexpr uint64_t kFirstSeed = 90'000;
constexpr uint64_t kWorlds = 2000;
constexpr int kTicks = 5;

// Through bytes, as in a file.
absl::Status Pass(EntryEncoder& encoder, EntryDecoder& decoder, const RecordedEntry& entry, bool full,
                  RecordedEntry& out) {
  const std::string bytes = encoder.Encode(entry, full).SerializeAsString();
  journal::v1::Entry message;
  if (!message.ParseFromString(bytes)) return absl::DataLossError("no message");
  return decoder.Decode(message, out);
}

TEST(EntryCodec, I7RecordingChangesNoDecision) {
  EntryEncoder encoder;  // one journal for all: each world differs from the one before in everything
  EntryDecoder decoder;
  size_t decisions = 0;
  for (uint64_t seed = kFirstSeed; seed < kFirstSeed + kWorlds; ++seed) {
    SCOPED_TRACE(seed);
    RandomWorld random(seed);
    World world = random.Make();
    if (random.OneIn(2)) {
      world.snapshot.reclaim_holds.push_back({"backup", random.Between(0, kGiB), world.now + Seconds(5)});
      world.snapshot.reclaim_holds.push_back({"forever", random.Between(0, kGiB), {}});
    }
    for (int tick = 0; tick < kTicks; ++tick) {
      RecordedEntry entry{world.now, world.snapshot, {}};
      entry.outcome = world.Tick();
      RecordedEntry back;
      ASSERT_TRUE(Pass(encoder, decoder, entry, random.OneIn(10), back).ok());
      ASSERT_EQ(back, entry);
      ASSERT_EQ(policy::Decide(back.snapshot, world.config, back.now), entry.outcome);
      decisions += entry.outcome.decisions.size();
      random.Disturb(world);
    }
  }
  EXPECT_GT(decisions, kWorlds) << "the worlds are too quiet to prove anything";
}

TEST(EntryCodec, VerdictsStandInTheirOwnEntryOnly) {
  EntryEncoder encoder;
  EntryDecoder decoder;
  RecordedEntry entry{{5'000'000}, {}, {}};
  entry.snapshot.guests.resize(1);
  entry.outcome.histories.resize(1);
  entry.verdicts = {Distinct<policy::OomVerdict>()};
  entry.verdicts[0].guest = 0;
  RecordedEntry back;
  ASSERT_TRUE(Pass(encoder, decoder, entry, false, back).ok());
  EXPECT_EQ(back, entry);
  entry.verdicts.clear();
  ASSERT_TRUE(Pass(encoder, decoder, entry, false, back).ok());
  EXPECT_EQ(back, entry);
  entry.verdicts.resize(1);
  entry.verdicts[0].guest = 1;
  const absl::Status status = Pass(encoder, decoder, entry, false, back);
  EXPECT_THAT(std::string(status.message()), HasSubstr("Verdict.guest"));
}

TEST(EntryCodec, EveryFieldOfSnapshotAndOutcomeIsKept) {
  RecordedEntry entry;
  entry.now = {123'456'789};
  int64_t next = 1000;
  entry.snapshot.host.emplace();
  FillDistinct(*entry.snapshot.host, next);
  FillDistinct(entry.snapshot.host_history, next);
  entry.snapshot.reclaim_holds.resize(2);
  entry.snapshot.guests.resize(3);
  entry.outcome.decisions.resize(2);
  entry.outcome.plugs.resize(2);
  entry.outcome.answers.resize(2);
  entry.outcome.histories.resize(3);
  for (auto& each : entry.snapshot.reclaim_holds) FillDistinct(each, next);
  for (auto& each : entry.snapshot.guests) FillDistinct(each, next);
  for (auto& each : entry.outcome.decisions) FillDistinct(each, next);
  for (auto& each : entry.outcome.plugs) FillDistinct(each, next);
  for (auto& each : entry.outcome.answers) FillDistinct(each, next);
  for (auto& each : entry.outcome.histories) FillDistinct(each, next);
  FillDistinct(entry.outcome.host_history, next);
  for (size_t i = 0; i < 2; ++i) {
    entry.outcome.decisions[i].guest = i + 1;
    entry.outcome.plugs[i].guest = i;
    entry.outcome.answers[i].guest = i;
  }
  entry.outcome.holds = {{0, policy::Hold::Why::kNoVmm}, {2, policy::Hold::Why::kBadLimits}};
  EntryEncoder encoder;
  EntryDecoder decoder;
  RecordedEntry back;
  ASSERT_TRUE(Pass(encoder, decoder, entry, true, back).ok());
  EXPECT_EQ(back, entry);
}

TEST(EntryCodec, AnUnchangedWorldIsAFewBytes) {
  World world;
  world.With(policy::Guest("web")).With(policy::Guest("db"));
  EntryEncoder encoder;
  RecordedEntry entry{world.now, world.snapshot, {}};
  entry.outcome = world.Tick();
  const size_t full = encoder.Encode(entry, true).ByteSizeLong();
  RecordedEntry next{world.now + Milliseconds(1), world.snapshot, {}};
  world.now = next.now;
  next.outcome = world.Tick();
  const journal::v1::Entry delta = encoder.Encode(next, false);
  EXPECT_EQ(delta.guests_size(), 0);
  EXPECT_FALSE(delta.has_host());
  EXPECT_LT(delta.ByteSizeLong(), full / 4);
}

class DecoderTest : public ::testing::Test {
 protected:
  std::string FaultOf(const journal::v1::Entry& entry) {
    EntryDecoder decoder;
    RecordedEntry out;
    return std::string(decoder.Decode(entry, out).message());
  }
  journal::v1::Entry Full() {
    journal::v1::Entry entry;
    entry.set_full(true);
    entry.set_guest_count(1);
    return entry;
  }
};

TEST_F(DecoderTest, RefusesADeltaThatFollowsNothing) {
  journal::v1::Entry entry = Full();
  EXPECT_EQ(FaultOf(entry), "");
  entry.set_full(false);
  EXPECT_THAT(FaultOf(entry), HasSubstr("Entry.full: false"));
}

TEST_F(DecoderTest, RefusesADeltaAfterABadEntryUntilAFullOne) {
  EntryDecoder decoder;
  RecordedEntry out;
  ASSERT_TRUE(decoder.Decode(Full(), out).ok());
  journal::v1::Entry bad;
  bad.set_guest_count(kMaxGuests + 1);
  ASSERT_FALSE(decoder.Decode(bad, out).ok());
  EXPECT_FALSE(decoder.Decode(journal::v1::Entry(), out).ok());
  EXPECT_TRUE(decoder.Decode(Full(), out).ok());
  EXPECT_TRUE(decoder.Decode(journal::v1::Entry(), out).ok());
}

TEST_F(DecoderTest, NamesWhatIsOutOfRange) {
  journal::v1::Entry entry = Full();
  entry.set_guest_count(4'000'000'000);
  EXPECT_THAT(FaultOf(entry), HasSubstr("Entry.guest_count: 4000000000 is out of range, allowed 0..65536"));
  entry = Full();
  entry.add_guests()->set_index(1);
  EXPECT_THAT(FaultOf(entry), HasSubstr("Guest.index"));
  entry = Full();
  entry.add_decisions()->set_guest(1);
  EXPECT_THAT(FaultOf(entry), HasSubstr("Decision.guest"));
  entry = Full();
  entry.add_plugs()->set_guest(1);
  EXPECT_THAT(FaultOf(entry), HasSubstr("PlugDecision.guest"));
  entry = Full();
  entry.add_holds()->set_guest(9);
  EXPECT_THAT(FaultOf(entry), HasSubstr("Hold.guest"));
  entry = Full();
  entry.add_holds();
  EXPECT_THAT(FaultOf(entry), HasSubstr("Hold.why: 0"));
  entry = Full();
  entry.add_histories()->set_index(1);
  EXPECT_THAT(FaultOf(entry), HasSubstr("HistoryAfter.index"));
  entry = Full();
  entry.add_decisions()->mutable_reason()->set_rule(256);
  EXPECT_THAT(FaultOf(entry), HasSubstr("Reason.rule: 256 is out of range, allowed 0..255"));
}

}  // namespace
}  // namespace ballast::record
