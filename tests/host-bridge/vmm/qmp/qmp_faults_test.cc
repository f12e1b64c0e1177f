// Every way a monitor can misbehave: the status that comes of it, and that the actuator finds its way back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "common/transport/socket.h"
#include "host-bridge/vmm/qmp/qmp_vm.h"
#include "tests/host-bridge/vmm/qmp/actuator_rig.h"

namespace ballast::vmm::qmp {
namespace {

using fakes::Fault;
using ::testing::HasSubstr;

struct BadAnswer {
  const char* name;
  Fault fault;
  absl::StatusCode code;
  const char* text;
};

std::ostream& operator<<(std::ostream& out, const BadAnswer& answer) { return out << answer.name; }

class BadAnswers : public ::testing::TestWithParam<BadAnswer> {};

// The balloon command meets the fault, the connection is given up, a new one works, and nothing is sent
// again.
TEST_P(BadAnswers, FailTheCommandAndTheConnectionComesBack) {
  RigOptions options;
  if (GetParam().code == absl::StatusCode::kDeadlineExceeded)
    options.actuator.command_timeout = Milliseconds(200);
  Rig rig(options);
  ASSERT_TRUE(rig.observer.WaitForLink(LinkState::kReady));
  rig.fake.SetFault(GetParam().fault, "balloon");
  rig.actuator->SetBalloon(1, {64 * kMiB});
  const Receipt receipt = rig.observer.WaitForReceipt(1);
  EXPECT_EQ(receipt.status.code(), GetParam().code) << receipt.status;
  EXPECT_THAT(MessageOf(receipt.status), HasSubstr(GetParam().text));
  EXPECT_GT(receipt.written_at, MonotonicTime{}) << "it had been written: it may or may not have happened";

  ASSERT_TRUE(rig.observer.WaitForLinkChanges(3));
  const Recorded all = rig.observer.All();
  EXPECT_EQ(all.links[0].first, LinkState::kReady);
  EXPECT_EQ(all.links[1].first, LinkState::kFailed);
  EXPECT_THAT(MessageOf(all.links[1].second), HasSubstr(GetParam().text));
  EXPECT_EQ(all.links[2].first, LinkState::kReady);
  EXPECT_EQ(rig.fake.WaitForCommand("balloon", 2, Nanos{0}), std::nullopt) << "nothing is replayed";

  rig.actuator->SetBalloon(2, {32 * kMiB});
  EXPECT_TRUE(rig.observer.WaitForReceipt(2).status.ok());
  EXPECT_EQ(rig.fake.Target(), BalloonBytes{32 * kMiB});
}

INSTANTIATE_TEST_SUITE_P(
    Monitor, BadAnswers,
    ::testing::Values(
        BadAnswer{"Close", Fault::kClose, absl::StatusCode::kUnavailable, "QEMU closed the connection"},
        BadAnswer{"Hang", Fault::kHang, absl::StatusCode::kDeadlineExceeded,
                  "QEMU gave no answer to balloon in"},
        BadAnswer{"HalfMessage", Fault::kHalfMessage, absl::StatusCode::kDeadlineExceeded,
                  "QEMU gave no answer to balloon in"},
        BadAnswer{"Garbage", Fault::kGarbage, absl::StatusCode::kUnavailable, "not a QMP message at byte"},
        BadAnswer{"HugeMessage", Fault::kHugeMessage, absl::StatusCode::kUnavailable,
                  "QMP message is longer than 1048576 bytes"},
        BadAnswer{"IdlessError", Fault::kIdlessError, absl::StatusCode::kUnavailable,
                  "an error that names no command"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(QmpFaults, AnErrorReplyFailsTheCommandAndNothingElse) {
  Rig rig;
  ASSERT_TRUE(rig.observer.WaitForLink(LinkState::kReady));
  rig.fake.SetFault(Fault::kErrorReply, "balloon");
  rig.actuator->SetBalloon(1, {64 * kMiB});
  const Receipt receipt = rig.observer.WaitForReceipt(1);
  EXPECT_EQ(receipt.status.code(), absl::StatusCode::kUnknown);
  EXPECT_THAT(MessageOf(receipt.status), HasSubstr("QEMU answered GenericError: something is wrong"));
  rig.actuator->SetBalloon(2, {64 * kMiB});
  EXPECT_TRUE(rig.observer.WaitForReceipt(2).status.ok());
  EXPECT_EQ(rig.observer.All().links.size(), 1u) << "the connection stayed";
}

TEST(QmpFaults, WrongTypesInAReadingAreNotBelieved) {
  Rig rig;
  ASSERT_TRUE(rig.observer.WaitForLink(LinkState::kReady));
  rig.fake.SetFault(Fault::kWrongTypes, "query-balloon");
  rig.fake.Reset();  // has the actuator read again
  ASSERT_TRUE(rig.observer.WaitForLinkChanges(3));
  const Recorded all = rig.observer.All();
  EXPECT_EQ(all.links[1].second.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(MessageOf(all.links[1].second),
              HasSubstr("query-balloon actual: expected an integer from 0 to"));
  EXPECT_EQ(all.links[2].first, LinkState::kReady);
  for (const auto& reading : all.readings) EXPECT_EQ(reading.value.balloon_actual, BalloonBytes{0});
}

TEST(QmpFaults, NumbersThatDoNotAddUpAreNotBelieved) {
  Rig rig;
  ASSERT_TRUE(rig.observer.WaitForLink(LinkState::kReady));
  rig.fake.SendRaw("{\"event\": \"BALLOON_CHANGE\", \"data\": {\"actual\": 4611686018427387904}}\r\n");
  ASSERT_TRUE(rig.fake.WaitForCommand("query-balloon", 2).has_value()) << "it is asked again instead";
  for (const auto& reading : rig.observer.All().readings)
    EXPECT_EQ(reading.value.balloon_actual, BalloonBytes{0});
}

TEST(QmpFaults, ALateAnswerMeetsNobody) {
  RigOptions options;
  options.actuator.command_timeout = Milliseconds(200);
  Rig rig(options);
  ASSERT_TRUE(rig.observer.WaitForLink(LinkState::kReady));
  rig.fake.SetFault(Fault::kHang, "balloon");
  rig.actuator->SetBalloon(1, {64 * kMiB});
  EXPECT_EQ(rig.observer.WaitForReceipt(1).status.code(), absl::StatusCode::kDeadlineExceeded);
  ASSERT_TRUE(rig.observer.WaitForLinkChanges(3));
  rig.fake.SendRaw("{\"return\": {}, \"id\": 6}\r\n");  // the first connection's "balloon"
  ASSERT_TRUE(rig.observer.WaitForLinkChanges(4)) << "an answer nobody waits for ends the connection";
  EXPECT_THAT(MessageOf(rig.observer.All().links[3].second), HasSubstr("an answer to command 6"));
  EXPECT_EQ(rig.observer.All().receipts.size(), 1u);
}

TEST(QmpFaults, ATargetThatWaitsIsLostWithTheConnection) {
  Rig rig;
  ASSERT_TRUE(rig.observer.WaitForLink(LinkState::kReady));
  rig.fake.SetFault(Fault::kHang, "balloon");
  rig.actuator->SetBalloon(1, {64 * kMiB});
  rig.actuator->SetBalloon(2, {32 * kMiB});
  ASSERT_TRUE(rig.fake.WaitForCommand("balloon").has_value());
  rig.fake.Disconnect();
  EXPECT_EQ(rig.observer.WaitForReceipt(1).status.code(), absl::StatusCode::kUnavailable);
  const Receipt waiting = rig.observer.WaitForReceipt(2);
  EXPECT_EQ(waiting.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(waiting.written_at, MonotonicTime{});
  ASSERT_TRUE(rig.observer.WaitForLinkChanges(3));
  EXPECT_EQ(rig.fake.WaitForCommand("balloon", 2, Nanos{0}), std::nullopt);
}

TEST(QmpFaults, ActualIsReadBeforeItIsReadyAgain) {
  Rig rig;
  ASSERT_TRUE(rig.observer.WaitForLink(LinkState::kReady));
  rig.actuator->SetBalloon(1, {64 * kMiB});
  ASSERT_TRUE(rig.observer.WaitForReceipt(1).status.ok());
  rig.fake.Disconnect();
  ASSERT_TRUE(rig.observer.WaitForLinkChanges(3));
  EXPECT_EQ(rig.observer.All().readings.back().value.balloon_actual, BalloonBytes{64 * kMiB});
}

TEST(QmpFaults, WithoutAMonitorTargetsAreRefusedAndTheReasonIsTold) {
  RigOptions options;
  options.actuator.socket_path += "-nobody";
  Rig rig(options);
  ASSERT_TRUE(rig.observer.WaitForLink(LinkState::kFailed));
  EXPECT_THAT(MessageOf(rig.observer.All().links[0].second), HasSubstr("No such file or directory"));
  rig.actuator->SetBalloon(1, {0});
  const Receipt receipt = rig.observer.WaitForReceipt(1);
  EXPECT_EQ(receipt.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(MessageOf(receipt.status), HasSubstr("QEMU is not connected: connect: "));
  EXPECT_EQ(rig.observer.All().links.size(), 1u) << "the same failure is told once";
}

TEST(QmpFaults, AVmWithoutABalloonSaysHowToGetOne) {
  RigOptions options;
  options.fake.has_balloon = false;
  Rig rig(options);
  ASSERT_TRUE(rig.observer.WaitForLink(LinkState::kFailed));
  EXPECT_EQ(MessageOf(rig.observer.All().links[0].second),
            "no virtio-balloon device: start QEMU with -device virtio-balloon-pci");
  EXPECT_TRUE(rig.fake.WaitForConnections(3)) << "it goes on trying";
}

TEST(QmpFaults, AMonitorThatAnotherClientHoldsIsCalledBusy) {
  const RigOptions options;
  fakes::FakeQmp fake(options.fake);
  const auto other = StartConnectUnix(fake.Path());
  ASSERT_TRUE(other.ok()) << other.status();
  ASSERT_TRUE(fake.WaitForConnections(1));
  SystemClock clock;
  RecordingObserver observer;
  IoThread thread;
  QmpOptions impatient = options.actuator;
  impatient.greeting_timeout = Milliseconds(50);
  QmpVm actuator(thread.io, clock, observer, nullptr, impatient);
  actuator.Start();
  ASSERT_TRUE(observer.WaitForLink(LinkState::kFailed));
  EXPECT_THAT(MessageOf(observer.All().links[0].second), HasSubstr("monitor busy"));
  EXPECT_THAT(MessageOf(observer.All().links[0].second), HasSubstr("give Ballast its own -qmp socket"));
}

TEST(QmpFaults, ASlowGreetingIsWaitedFor) {
  RigOptions options;
  options.fake.greeting_delay = Milliseconds(100);
  Rig rig(options);
  ASSERT_TRUE(rig.observer.WaitForLink(LinkState::kReady));
  EXPECT_EQ(rig.fake.Connections(), 1u);
}

TEST(QmpFaults, ARefusedNegotiationIsTriedAgain) {
  const RigOptions options;
  fakes::FakeQmp fake(options.fake);
  fake.SetFault(Fault::kErrorReply, "qmp_capabilities");
  SystemClock clock;
  RecordingObserver observer;
  IoThread thread;
  QmpVm actuator(thread.io, clock, observer, nullptr, options.actuator);
  actuator.Start();
  ASSERT_TRUE(observer.WaitForLinkChanges(2));
  EXPECT_THAT(MessageOf(observer.All().links[0].second),
              HasSubstr("qmp_capabilities: QEMU answered GenericError"));
  EXPECT_EQ(observer.All().links[1].first, LinkState::kReady);
}

TEST(QmpFaults, AMonitorThatHangsAfterItsGreetingIsGivenUp) {
  RigOptions options;
  options.actuator.command_timeout = Milliseconds(100);
  fakes::FakeQmp fake(options.fake);
  fake.SetFault(Fault::kHang, "", 1'000'000);
  SystemClock clock;
  RecordingObserver observer;
  IoThread thread;
  QmpVm actuator(thread.io, clock, observer, nullptr, options.actuator);
  actuator.Start();
  ASSERT_TRUE(observer.WaitForLink(LinkState::kFailed));
  EXPECT_THAT(MessageOf(observer.All().links[0].second),
              HasSubstr("QEMU gave no answer to qmp_capabilities"));
  fake.SetFault(Fault::kNone);
  EXPECT_TRUE(observer.WaitForLink(LinkState::kReady));
}

TEST(QmpFaults, ReconnectingCostsNextToNoProcessorTime) {
  RigOptions options;
  options.actuator.socket_path += "-nobody";
  options.actuator.backoff = {};
  Rig rig(options);
  ASSERT_TRUE(rig.observer.WaitForLink(LinkState::kFailed));
  rusage before{};
  ::getrusage(RUSAGE_SELF, &before);
  EXPECT_FALSE(rig.fake.WaitForConnections(1, Milliseconds(500)));
  rusage after{};
  ::getrusage(RUSAGE_SELF, &after);
  const auto micros = [](const timeval& t) { return t.tv_sec * 1'000'000 + t.tv_usec; };
  const int64_t used =
      micros(after.ru_utime) - micros(before.ru_utime) + micros(after.ru_stime) - micros(before.ru_stime);
  EXPECT_LT(used, 50'000) << "a busy loop would have used 500,000 us";
}

}  // namespace
}  // namespace ballast::vmm::qmp
