// What a client of the agent sees.
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/guest-agent/service/agent_fixture.h"

namespace ballast::agent {
namespace {

using guest::v1::GuestAgent;
using guest::v1::WatchRequest;
using guest::v1::WatchResponse;
using ::testing::HasSubstr;

// Room for a handful of reports.
constexpr int kNarrowWindow = 1'024;

class AgentTest : public AgentFixture {
 protected:
  // How a Watch with these bytes for a request ends, over a connection of its own.
  [[nodiscard]] grpc::Status CallWatch(const std::string& request) const {
    grpc::GenericStub stub(Connect());
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    grpc::CompletionQueue queue;
    grpc::Slice bytes(request);
    const auto call = stub.PrepareUnaryCall(&context, "/ballast.guest.v1.GuestAgent/Watch",
                                            grpc::ByteBuffer(&bytes, 1), &queue);
    call->StartCall();
    grpc::ByteBuffer answer;
    grpc::Status status;
    call->Finish(&answer, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue.Next(&tag, &ok));
    return status;
  }
};

bool IsReportAt(const WatchResponse& response, guest::v1::Level level) {
  return response.has_report() && response.report().level() == level;
}

std::string Text(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string text;
  if (!buffer.Dump(&slices).ok()) return text;
  for (const grpc::Slice& slice : slices) text.append(slice.begin(), slice.end());
  return text;
}

// How fast the guest's memory falls says nothing: on a loaded machine two samples may lie on both sides of a
// step.
WatchRequest ByLevelsAlone() {
  WatchRequest request;
  request.mutable_thresholds()->set_exhaustion_horizon_ms(1);
  return request;
}

WatchRequest PressedBelow(int64_t bytes) {
  WatchRequest request = ByLevelsAlone();
  auto& limit = *request.mutable_thresholds()->mutable_pressed();
  limit.set_permyriad(1);
  limit.set_min_bytes(bytes);
  limit.set_max_bytes(bytes);
  return request;
}

TEST_F(AgentTest, SaysWhatItIs) {
  guest::v1::GetInfoResponse info;
  grpc::ClientContext context;
  const int64_t before = clock_.Now().ns;
  const auto status = GuestAgent::NewStub(Connect())->GetInfo(&context, {}, &info);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(info.boot_id(), "00000000-0000-4000-8000-000000000001");
  EXPECT_EQ(info.agent_generation(), 7u);
  EXPECT_EQ(info.agent_version(), "test");
  EXPECT_GE(info.monotonic_ns(), before);
  EXPECT_LE(info.monotonic_ns(), clock_.Now().ns);
  EXPECT_FALSE(info.has_balloon());
  ASSERT_EQ(info.capabilities_size(), 9);
  EXPECT_TRUE(info.capabilities(0).available());
  EXPECT_FALSE(info.capabilities(3).available());
  EXPECT_THAT(info.capabilities(3).reason(), HasSubstr("swap"));
}

TEST_F(AgentTest, GreetsWithAFullReportAtOnce) {
  const auto watch = Watch();
  const WatchResponse first = watch->Next();
  EXPECT_EQ(first.sequence(), 1u);
  ASSERT_TRUE(first.has_hello());
  const auto& hello = first.hello();
  EXPECT_EQ(hello.agent_generation(), 7u);
  EXPECT_EQ(hello.report().level(), guest::v1::LEVEL_QUIET);
  EXPECT_EQ(hello.report().meminfo().available_bytes(), 900 * kMiB);
  EXPECT_TRUE(hello.report().has_psi_memory());
  EXPECT_TRUE(hello.report().vmstat().has_oom_kills());
  EXPECT_EQ(hello.cadence().quiet_ms(), 10'000);
  EXPECT_EQ(hello.thresholds().pressed().permyriad(), 2'000);
  EXPECT_EQ(hello.thresholds().exhaustion_horizon_ms(), 500);
}

TEST_F(AgentTest, TellsOfARiseWithinMilliseconds) {
  WatchRequest request;
  request.mutable_cadence()->set_quiet_ms(60'000);
  request.mutable_cadence()->set_armed_ms(10'000);
  const auto watch = Watch(request);
  watch->Next();
  Guest().SetAvailable(300 * kMiB);
  ASSERT_TRUE(watch->Until([](const auto& r) { return IsReportAt(r, guest::v1::LEVEL_ARMED); }));
  const int64_t fell_at = clock_.Now().ns;
  Guest().SetAvailable(50 * kMiB);
  const auto told = watch->Until([](const auto& r) { return IsReportAt(r, guest::v1::LEVEL_CRITICAL); });
  const int64_t told_at = clock_.Now().ns;
  ASSERT_TRUE(told.has_value());
  EXPECT_TRUE(told->report().derived().has_pressure_onset_ns());
  EXPECT_GE(told->report().derived().pressure_onset_ns(), fell_at);
  // With 200 MiB to the critical threshold it looks every 50 ms; the rest is for a loaded machine.
  EXPECT_LT(told_at - fell_at, 500'000'000);
}

TEST_F(AgentTest, TellsEachWatcherByItsOwnThresholds) {
  const auto nervous = Watch(PressedBelow(880 * kMiB));
  const auto calm = Watch(ByLevelsAlone());
  nervous->Next();
  calm->Next();
  Guest().SetAvailable(600 * kMiB);
  EXPECT_TRUE(nervous->Until([](const auto& r) { return IsReportAt(r, guest::v1::LEVEL_PRESSED); }));
  Guest().SetOomKills(1);
  const auto seen = calm->Until([](const auto& r) { return r.has_report(); });
  ASSERT_TRUE(seen.has_value());
  EXPECT_EQ(seen->report().meminfo().available_bytes(), 600 * kMiB);
  EXPECT_EQ(seen->report().level(), guest::v1::LEVEL_QUIET);
}

TEST_F(AgentTest, AnOomKillIsAnEventOfItsOwn) {
  const auto watch = Watch();
  watch->Next();
  Guest().SetOomKills(3);
  const auto told = watch->Until([](const auto& r) { return r.has_event(); });
  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(told->event().oom_kill().kills(), 3);
  EXPECT_EQ(told->event().oom_kill().total(), 3);
}

TEST_F(AgentTest, NumbersEveryMessage) {
  WatchRequest request = PressedBelow(890 * kMiB);
  request.mutable_cadence()->set_pressed_ms(20);
  Guest().SetAvailable(500 * kMiB);
  const auto watch = Watch(request);
  uint64_t last = 0;
  for (int i = 0; i < 10; ++i) {
    const uint64_t sequence = watch->Next().sequence();
    EXPECT_GT(sequence, last);
    last = sequence;
  }
}

TEST_F(AgentTest, RefusesThresholdsOutOfRangeByName) {
  WatchRequest request;
  request.mutable_cadence()->set_quiet_ms(5);
  const auto status = Watch(request)->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("cadence.quiet_ms is 5"));
}

TEST_F(AgentTest, SixteenMayWatchAndASeventeenthWhenOneLeaves) {
  std::vector<std::unique_ptr<Watching>> watchers;
  for (size_t i = 0; i < SampleLoop::kMaxWatchers; ++i) {
    watchers.push_back(Watch());
    EXPECT_TRUE(watchers.back()->Next().has_hello());
  }
  EXPECT_EQ(Watch()->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  watchers.pop_back();
  EXPECT_TRUE(Eventually([&] {
    auto another = Watch();
    return another->Until([](const auto& r) { return r.has_hello(); }).has_value();
  }));
}

TEST_F(AgentTest, WatchersThatComeAndGoLeaveNothingBehind) {
  const auto steady = Watch();
  steady->Next();
  const auto channel = Connect();
  for (int i = 0; i < 200; ++i) {
    Watching passing(channel, {});
    if (i % 2 == 0) {
      passing.Until([](const auto& r) { return r.has_hello(); });
    }
  }
  Guest().SetAvailable(40 * kMiB);
  EXPECT_TRUE(steady->Until([](const auto& r) { return IsReportAt(r, guest::v1::LEVEL_CRITICAL); }));
}

TEST_F(AgentTest, AnswersHealthChecks) {
  // grpc.health.v1.HealthCheckRequest without fields is empty; the answer is field 1 (status) = 1 (SERVING).
  grpc::GenericStub stub(Connect());
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  grpc::Slice nothing("");
  const grpc::ByteBuffer request(&nothing, 1);
  const auto call = stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", request, &queue);
  call->StartCall();
  grpc::ByteBuffer answer;
  grpc::Status status;
  call->Finish(&answer, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  ASSERT_TRUE(queue.Next(&tag, &ok));
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(Text(answer), std::string("\x08\x01"));
}

TEST_F(AgentTest, DescribesItself) {
  // grpc.reflection.v1alpha: list_services (field 7) = "*".
  grpc::GenericStub stub(Connect());
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  const auto call =
      stub.PrepareCall(&context, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", &queue);
  void* tag = nullptr;
  bool ok = false;
  call->StartCall(nullptr);
  ASSERT_TRUE(queue.Next(&tag, &ok) && ok);
  grpc::Slice bytes("\x3a\x01*");
  call->Write(grpc::ByteBuffer(&bytes, 1), nullptr);
  ASSERT_TRUE(queue.Next(&tag, &ok) && ok);
  grpc::ByteBuffer answer;
  call->Read(&answer, nullptr);
  ASSERT_TRUE(queue.Next(&tag, &ok) && ok);
  EXPECT_THAT(Text(answer), HasSubstr("ballast.guest.v1.GuestAgent"));
  grpc::Status status;
  call->WritesDone(nullptr);
  ASSERT_TRUE(queue.Next(&tag, &ok));
  call->Finish(&status, nullptr);
  ASSERT_TRUE(queue.Next(&tag, &ok));
  EXPECT_TRUE(status.ok()) << status.error_message();
}

TEST_F(AgentTest, RefusesRequestsLargerThanAnyOfItsOwn) {
  const grpc::Status status = CallWatch(std::string(size_t{200} << 10, 'x'));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
}

// gRPC 1.51 takes a whole message in before it looks at its size.
TEST_F(AgentTest, ClientsThatSendMegabytesDisturbNobody) {
  WatchRequest request = PressedBelow(890 * kMiB);
  request.mutable_cadence()->set_pressed_ms(20);
  Guest().SetAvailable(500 * kMiB);
  const auto healthy = Watch(request);
  uint64_t last = healthy->Next().sequence();
  const std::string large(size_t{10} << 20, 'x');
  for (int client = 0; client < 6; ++client) {
    const grpc::Status status = CallWatch(large);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
    EXPECT_TRUE(Watch()->Next().has_hello());
    const WatchResponse next = healthy->Next();
    EXPECT_GT(next.sequence(), last);
    last = next.sequence();
  }
}

TEST_F(AgentTest, EndsEveryWatchWhenItStops) {
  const auto watch = Watch();
  watch->Next();
  StopAgent();
  EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(AgentTest, AWatcherThatNeverReadsDelaysNeitherOthersNorTheEnd) {
  WatchRequest request = PressedBelow(890 * kMiB);
  request.mutable_cadence()->set_pressed_ms(20);
  Guest().SetAvailable(500 * kMiB);
  Watching deaf(Connect(kNarrowWindow), request);
  const auto healthy = Watch(request);
  uint64_t last = 0;
  for (int i = 0; i < 50; ++i) last = healthy->Next().sequence();
  EXPECT_GE(last, 50u);
  const int64_t before = clock_.Now().ns;
  StopAgent();
  EXPECT_LT(clock_.Now().ns - before, 3'000'000'000);
  EXPECT_EQ(healthy->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(AgentTest, WatchersThatNeverReadLoseTheirPlaces) {
  WatchRequest request = PressedBelow(890 * kMiB);
  request.mutable_cadence()->set_pressed_ms(20);
  Guest().SetAvailable(500 * kMiB);
  std::vector<std::unique_ptr<Watching>> deaf;
  for (size_t i = 0; i < SampleLoop::kMaxWatchers; ++i) {
    deaf.push_back(std::make_unique<Watching>(Connect(kNarrowWindow), request));
  }
  // All places are taken until the agent notices, some seconds later, that nobody reads there.
  EXPECT_TRUE(Eventually([&] {
    Watching newcomer(Connect(), request);
    return newcomer.Until([](const auto& message) { return message.has_report(); }).has_value();
  }));
}

}  // namespace
}  // namespace ballast::agent
