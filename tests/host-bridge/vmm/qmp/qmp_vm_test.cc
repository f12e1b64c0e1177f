// The actuator and a monitor that works.
#include "host-bridge/vmm/qmp/qmp_vm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <future>

#include "tests/host-bridge/vmm/qmp/actuator_rig.h"

namespace ballast::vmm::qmp {
namespace {

using policy::VmmReading;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

auto LastReadingIs(const VmmReading& wanted) {
  return
      [wanted](const Recorded& all) { return !all.readings.empty() && all.readings.back().value == wanted; };
}

TEST(QmpVm, ReadsEverythingBeforeItIsReady) {
  Rig rig;
  ASSERT_TRUE(rig.observer.WaitForLink(LinkState::kReady));
  const Recorded all = rig.observer.All();
  ASSERT_FALSE(all.readings.empty());
  EXPECT_EQ(all.readings[0].value, (VmmReading{kGiB, {0}, true}));
  EXPECT_EQ(rig.fake.Log()[0].command, "qmp_capabilities");
  EXPECT_EQ(rig.fake.WaitForCommand("balloon", 1, Nanos{0}), std::nullopt) << "nothing is written unasked";
}

TEST(QmpVm, SetsTheBalloonAndReadsItBack) {
  Rig rig;
  ASSERT_TRUE(rig.observer.WaitForLink(LinkState::kReady));
  const MonotonicTime before = rig.clock.Now();
  rig.actuator->SetBalloon(7, {256 * kMiB});
  const Receipt receipt = rig.observer.WaitForReceipt(7);
  EXPECT_TRUE(receipt.status.ok()) << receipt.status;
  EXPECT_EQ(receipt.target, BalloonBytes{256 * kMiB});
  EXPECT_FALSE(receipt.dry_run);
  const auto command = rig.fake.WaitForCommand("balloon");
  ASSERT_TRUE(command.has_value());
  EXPECT_EQ(command->value, 768 * kMiB) << "QEMU's number is what the guest keeps";
  EXPECT_GE(receipt.written_at, before);
  EXPECT_LE(receipt.written_at, receipt.done_at);
  EXPECT_TRUE(rig.observer.WaitUntil(LastReadingIs({kGiB, {256 * kMiB}, true})));
}

TEST(QmpVm, FollowsABalloonOnItsWay) {
  RigOptions options;
  options.fake.balloon_bytes_per_second = 512 * kMiB;
  Rig rig(options);
  ASSERT_TRUE(rig.observer.WaitForLink(LinkState::kReady));
  rig.actuator->SetBalloon(1, {128 * kMiB});
  ASSERT_TRUE(rig.observer.WaitUntil(LastReadingIs({kGiB, {128 * kMiB}, true})));
  const Recorded all = rig.observer.All();
  EXPECT_TRUE(std::any_of(all.readings.begin(), all.readings.end(), [](const auto& reading) {
    return reading.value.balloon_actual.count > 0 && reading.value.balloon_actual.count < 128 * kMiB;
  })) << "a reading between start and end is how a stall is told from progress";
}

// Seen of a real QEMU: a balloon that has just begun to fill says so between two answers of one reading. The
// older answer must not make it look as if it shrank.
TEST(QmpVm, AnEventBetweenTheAnswersIsNotTakenBack) {
  for (const bool after_command : {true, false}) {
    RigOptions options;
    options.fake.balloon_bytes_per_second = 0;
    if (!after_command) options.actuator.poll_interval = Milliseconds(20);
    Rig rig(options);
    ASSERT_TRUE(rig.observer.WaitForLink(LinkState::kReady));
    rig.fake.SetActualAfterNext("query-balloon", {2 * kMiB});
    if (after_command) rig.actuator->SetBalloon(1, {128 * kMiB});
    ASSERT_TRUE(rig.observer.WaitUntil(LastReadingIs({kGiB, {2 * kMiB}, true})));
    // What follows is as new as the event.
    const size_t seen = rig.observer.All().readings.size();
    ASSERT_TRUE(rig.observer.WaitUntil([&](const Recorded& all) { return all.readings.size() > seen + 2; }));
    const Recorded all = rig.observer.All();
    EXPECT_TRUE(std::is_sorted(all.readings.begin(), all.readings.end(), [](const auto& a, const auto& b) {
      return a.value.balloon_actual < b.value.balloon_actual;
    })) << (after_command ? "in the reading that verifies a command" : "in one of the poll");
  }
}

TEST(QmpVm, AStalledBalloonIsASuccessfulCommandWithoutProgress) {
  RigOptions options;
  options.fake.balloon_bytes_per_second = 0;
  Rig rig(options);
  ASSERT_TRUE(rig.observer.WaitForLink(LinkState::kReady));
  rig.actuator->SetBalloon(1, {128 * kMiB});
  EXPECT_TRUE(rig.observer.WaitForReceipt(1).status.ok());
  // One at the connect, one after the write, three follow-ups.
  ASSERT_TRUE(rig.fake.WaitForCommand("query-balloon", 5).has_value());
  EXPECT_EQ(rig.observer.All().readings.back().value.balloon_actual, BalloonBytes{0});
}

TEST(QmpVm, CountsDimmsIntoTheBase) {
  Rig rig;
  ASSERT_TRUE(rig.observer.WaitForLink(LinkState::kReady));
  rig.fake.AddDimm(128 * kMiB, true);
  ASSERT_TRUE(rig.observer.WaitUntil(LastReadingIs({kGiB + 128 * kMiB, {0}, true})));
  rig.actuator->SetBalloon(1, {0});
  ASSERT_TRUE(rig.observer.WaitForReceipt(1).status.ok());
  EXPECT_EQ(rig.fake.WaitForCommand("balloon")->value, kGiB + 128 * kMiB);
}

TEST(QmpVm, CorrectsATargetThatWasConvertedWithAnOldBase) {
  Rig rig;
  ASSERT_TRUE(rig.observer.WaitForLink(LinkState::kReady));
  rig.fake.AddDimmBeforeNextBalloon(128 * kMiB);
  rig.actuator->SetBalloon(1, {64 * kMiB});
  const Receipt receipt = rig.observer.WaitForReceipt(1);
  ASSERT_TRUE(receipt.status.ok()) << receipt.status;
  EXPECT_EQ(rig.fake.WaitForCommand("balloon", 1)->value, 960 * kMiB);
  EXPECT_EQ(rig.fake.WaitForCommand("balloon", 2)->value, 1088 * kMiB);
  EXPECT_EQ(rig.fake.Target(), BalloonBytes{64 * kMiB});
  EXPECT_LT(receipt.written_at, rig.fake.WaitForCommand("balloon", 2)->at)
      << "the first write is what counts";
}

TEST(QmpVm, ANewerTargetReplacesOneThatWaits) {
  Rig rig;
  ASSERT_TRUE(rig.observer.WaitForLink(LinkState::kReady));
  rig.fake.SetFault(fakes::Fault::kHang, "balloon");
  rig.actuator->SetBalloon(1, {64 * kMiB});
  ASSERT_TRUE(rig.fake.WaitForCommand("balloon").has_value());
  rig.actuator->SetBalloon(2, {32 * kMiB});
  rig.actuator->SetBalloon(3, {16 * kMiB});
  const Receipt replaced = rig.observer.WaitForReceipt(2);
  EXPECT_EQ(replaced.status.code(), absl::StatusCode::kAborted);
  EXPECT_THAT(MessageOf(replaced.status), HasSubstr("replaced by a newer target"));
  EXPECT_EQ(replaced.written_at, MonotonicTime{});
  // The answer that hung comes now; commands are counted from 1 and "balloon" is the 9th of this connection.
  rig.fake.SendRaw("{\"return\": {}, \"id\": 9}\r\n");
  EXPECT_TRUE(rig.observer.WaitForReceipt(1).status.ok());
  EXPECT_TRUE(rig.observer.WaitForReceipt(3).status.ok());
  EXPECT_EQ(rig.fake.WaitForCommand("balloon", 2)->value, kGiB - 16 * kMiB);
  EXPECT_EQ(rig.fake.WaitForCommand("balloon", 3, Nanos{0}), std::nullopt);
}

TEST(QmpVm, VerificationDoesNotHoldUpANewTarget) {
  Rig rig;
  ASSERT_TRUE(rig.observer.WaitForLink(LinkState::kReady));
  rig.fake.SetFault(fakes::Fault::kHang, "query-status");
  rig.actuator->SetBalloon(1, {64 * kMiB});
  ASSERT_TRUE(rig.fake.WaitForCommand("query-status", 2).has_value());
  rig.actuator->SetBalloon(2, {0});
  EXPECT_TRUE(rig.observer.WaitForReceipt(1).status.ok());
  EXPECT_TRUE(rig.observer.WaitForReceipt(2).status.ok());
  EXPECT_EQ(rig.fake.Target(), BalloonBytes{0});
}

TEST(QmpVm, RefusesTargetsOutOfRange) {
  Rig rig;
  ASSERT_TRUE(rig.observer.WaitForLink(LinkState::kReady));
  rig.actuator->SetBalloon(1, {-1});
  rig.actuator->SetBalloon(2, {kGiB});
  EXPECT_EQ(rig.observer.WaitForReceipt(1).status.code(), absl::StatusCode::kInvalidArgument);
  const Receipt receipt = rig.observer.WaitForReceipt(2);
  EXPECT_EQ(receipt.status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(MessageOf(receipt.status),
              HasSubstr("1073741824 is out of range, allowed 0..1073741823 bytes"));
  EXPECT_EQ(rig.fake.WaitForCommand("balloon", 1, Nanos{0}), std::nullopt);
}

TEST(QmpVm, PauseAndResume) {
  Rig rig;
  ASSERT_TRUE(rig.observer.WaitForLink(LinkState::kReady));
  rig.fake.Stop();
  ASSERT_TRUE(rig.observer.WaitUntil(LastReadingIs({kGiB, {0}, false})));
  rig.fake.Resume();
  ASSERT_TRUE(rig.observer.WaitUntil(LastReadingIs({kGiB, {0}, true})));
  EXPECT_THAT(rig.observer.All().lifecycle, ElementsAre(Lifecycle::kPaused, Lifecycle::kResumed));
}

// QEMU goes on saying what the boot before had, and a balloon on its way stands elsewhere than it was last
// seen; a driver that finds nothing to do never says better.
TEST(QmpVm, ABalloonThatMovedUnseenBeforeAResetIsEmptyAfterIt) {
  RigOptions options;
  options.fake.balloon_bytes_per_second = 0;
  options.fake.event_interval = Seconds(60);
  options.actuator.poll_interval = Seconds(60);
  Rig rig(options);
  ASSERT_TRUE(rig.observer.WaitForLink(LinkState::kReady));
  rig.fake.SetActual({64 * kMiB});
  ASSERT_TRUE(rig.observer.WaitUntil(LastReadingIs({kGiB, {64 * kMiB}, true})));
  rig.fake.SetActual({60 * kMiB});  // told a minute later
  rig.fake.Reset();
  ASSERT_TRUE(rig.observer.WaitUntil(LastReadingIs({kGiB, {0}, true})));
  rig.fake.SendRaw("{\"event\": \"BALLOON_CHANGE\", \"data\": {\"actual\": 1010827264}}\r\n");  // kept back
  const size_t seen = rig.observer.All().readings.size();
  ASSERT_TRUE(rig.observer.WaitUntil([&](const Recorded& all) { return all.readings.size() > seen; }));
  EXPECT_EQ(rig.observer.All().readings.back().value.balloon_actual, BalloonBytes{0});
  rig.fake.SetActual({8 * kMiB});  // the new driver's word, at the next look
  rig.actuator->SetBalloon(1, {8 * kMiB});
  EXPECT_TRUE(rig.observer.WaitUntil(LastReadingIs({kGiB, {8 * kMiB}, true})));
}

TEST(QmpVm, OneResetIsToldOnceAndReadAgain) {
  Rig rig;
  ASSERT_TRUE(rig.observer.WaitForLink(LinkState::kReady));
  rig.fake.Reset();  // two RESET events
  rig.fake.Shutdown();
  ASSERT_TRUE(rig.observer.WaitUntil([](const Recorded& all) { return all.lifecycle.size() >= 2; }));
  EXPECT_THAT(rig.observer.All().lifecycle, ElementsAre(Lifecycle::kReset, Lifecycle::kShutdown));
  EXPECT_TRUE(rig.observer.WaitUntil([](const Recorded& all) { return all.readings.size() >= 2; }));
}

TEST(QmpVm, SeesABalloonThatShrinksByItself) {
  Rig rig;
  ASSERT_TRUE(rig.observer.WaitForLink(LinkState::kReady));
  rig.actuator->SetBalloon(1, {128 * kMiB});
  ASSERT_TRUE(rig.observer.WaitUntil(LastReadingIs({kGiB, {128 * kMiB}, true})));
  rig.fake.ShrinkBalloon(kMiB);
  EXPECT_TRUE(rig.observer.WaitUntil(LastReadingIs({kGiB, {127 * kMiB}, true})));
}

TEST(QmpVm, GivesTheDriversStatisticsWhenAsked) {
  RigOptions options;
  options.actuator.statistics_interval = Seconds(1);
  Rig rig(options);
  ASSERT_TRUE(rig.observer.WaitUntil([](const Recorded& all) { return !all.statistics.empty(); }));
  const BalloonStatistics statistics = rig.observer.All().statistics[0];
  EXPECT_EQ(statistics.total_bytes, kGiB);
  EXPECT_EQ(statistics.available_bytes, 395165696);
  EXPECT_EQ(statistics.oom_kills, std::nullopt);
  EXPECT_THAT(rig.fake.WaitForCommand("qom-set")->arguments,
              HasSubstr("\"path\":\"/machine/peripheral/balloon0\""));
}

TEST(QmpVm, NoCallFollowsItsDestruction) {
  for (int round = 0; round < 20; ++round) {
    RigOptions options;
    options.fake.balloon_bytes_per_second = kGiB;
    options.fake.event_interval = Milliseconds(1);
    Rig rig(options);
    ASSERT_TRUE(rig.observer.WaitForLink(LinkState::kReady));
    rig.actuator->SetBalloon(1, {512 * kMiB});  // readings pour in
    if (round % 2 == 0) {
      ASSERT_TRUE(rig.fake.WaitForCommand("balloon").has_value());
    }
    rig.actuator.reset();
    const Recorded at_the_end = rig.observer.All();
    std::promise<void> later;
    boost::asio::post(rig.thread.io, [&] { later.set_value(); });
    later.get_future().wait();
    EXPECT_EQ(rig.observer.All().readings.size(), at_the_end.readings.size());
    EXPECT_EQ(rig.observer.All().receipts.size(), at_the_end.receipts.size());
  }
}

TEST(QmpVm, MayBeDestroyedWhenItsThreadHasStopped) {
  Rig rig;
  ASSERT_TRUE(rig.observer.WaitForLink(LinkState::kReady));
  rig.thread.Stop();
  rig.actuator.reset();
}

TEST(QmpVm, MayBeDestroyedUnstarted) {
  SystemClock clock;
  RecordingObserver observer;
  boost::asio::io_context io;
  { const QmpVm actuator(io, clock, observer, nullptr, QmpOptions{}); }
  EXPECT_EQ(io.run(), 1u);
}

// Lets go of its actuator as soon as a reading comes.
class QuittingObserver final : public RecordingObserver {
 public:
  void OnReading(const Sampled<policy::VmmReading>& reading) override {
    actuator.reset();
    RecordingObserver::OnReading(reading);
  }
  std::unique_ptr<QmpVm> actuator;
};

TEST(QmpVm, MayBeDestroyedFromInsideItsObserver) {
  const RigOptions options;
  fakes::FakeQmp fake(options.fake);
  SystemClock clock;
  QuittingObserver observer;
  IoThread thread;
  observer.actuator = std::make_unique<QmpVm>(thread.io, clock, observer, &observer, options.actuator);
  observer.actuator->Start();
  EXPECT_TRUE(observer.WaitUntil([](const Recorded& all) { return all.readings.size() == 1; }));
  EXPECT_TRUE(observer.All().links.empty());
}

TEST(QmpVm, ManyVmsShareOneThread) {
  constexpr size_t kVms = 32;
  SystemClock clock;
  std::vector<std::unique_ptr<fakes::FakeQmp>> vms;
  std::vector<std::unique_ptr<RecordingObserver>> observers;
  IoThread thread;
  std::vector<std::unique_ptr<QmpVm>> actuators;
  for (size_t i = 0; i < kVms; ++i) {
    const RigOptions options;
    vms.push_back(std::make_unique<fakes::FakeQmp>(options.fake));
    observers.push_back(std::make_unique<RecordingObserver>());
    actuators.push_back(std::make_unique<QmpVm>(thread.io, clock, *observers[i], nullptr, options.actuator));
    actuators[i]->Start();
  }
  vms[0]->SetFault(fakes::Fault::kHang, "", 1000);  // one bad VM is the others' business in no way
  for (size_t i = 1; i < kVms; ++i) {
    ASSERT_TRUE(observers[i]->WaitForLink(LinkState::kReady));
    actuators[i]->SetBalloon(i, {static_cast<int64_t>(i) * kMiB});
  }
  for (size_t i = 1; i < kVms; ++i) {
    EXPECT_TRUE(observers[i]->WaitForReceipt(i).status.ok());
    EXPECT_EQ(vms[i]->Target(), BalloonBytes{static_cast<int64_t>(i) * kMiB});
  }
}

}  // namespace
}  // namespace ballast::vmm::qmp
