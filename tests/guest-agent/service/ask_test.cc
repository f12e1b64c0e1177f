// Requests for memory, from the asker's call over the watchers' streams to the answer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>

#include "guest-agent/ask/request_board.h"
#include "tests/guest-agent/service/agent_fixture.h"

namespace ballast::agent {
namespace {

using ::testing::HasSubstr;

bool IsRequest(const guest::v1::WatchResponse& message) {
  return message.has_event() && message.event().has_memory_request();
}

class AskTest : public AgentFixture {
 protected:
  struct Answered {
    grpc::Status status;
    guest::v1::RequestMemoryResponse response;
  };

  static Answered Ask(const std::shared_ptr<grpc::Channel>& channel,
                      const guest::v1::RequestMemoryRequest& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    Answered answered;
    answered.status =
        guest::v1::GuestAgent::NewStub(channel)->RequestMemory(&context, request, &answered.response);
    return answered;
  }

  static grpc::Status Answer(const std::shared_ptr<grpc::Channel>& channel, uint64_t id, int64_t granted) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    guest::v1::AnswerMemoryRequestRequest request;
    request.set_id(id);
    request.mutable_answer()->set_granted_bytes(granted);
    request.mutable_answer()->set_actuator("balloon");
    request.mutable_answer()->set_eta_ms(12);
    guest::v1::AnswerMemoryRequestResponse response;
    return guest::v1::GuestAgent::NewStub(channel)->AnswerMemoryRequest(&context, request, &response);
  }

  static guest::v1::RequestMemoryRequest For(int64_t bytes, int64_t deadline_ms = 0) {
    guest::v1::RequestMemoryRequest request;
    request.set_bytes(bytes);
    request.set_deadline_ms(deadline_ms);
    request.set_urgency(guest::v1::URGENCY_KILL);
    request.set_asker("oomd");
    return request;
  }
};

TEST_F(AskTest, AWatcherHearsOfItAndItsAnswerReachesTheAsker) {
  const auto watch = Watch();
  watch->Next();
  auto asking = std::async(std::launch::async, [this] { return Ask(Connect(), For(64 * kMiB)); });
  const auto event = watch->Until(IsRequest);
  ASSERT_TRUE(event.has_value());
  const auto& asked = event->event().memory_request();
  EXPECT_EQ(asked.bytes(), 64 * kMiB);
  EXPECT_EQ(asked.urgency(), guest::v1::URGENCY_KILL);
  EXPECT_EQ(asked.asker(), "oomd");
  EXPECT_GT(asked.deadline_ms(), 1'500) << "the default is 2 s";
  EXPECT_LE(asked.deadline_ms(), 2'000);
  EXPECT_TRUE(Answer(Connect(), asked.id(), 32 * kMiB).ok());
  const Answered answered = asking.get();
  ASSERT_TRUE(answered.status.ok()) << answered.status.error_message();
  EXPECT_EQ(answered.response.granted_bytes(), 32 * kMiB);
  EXPECT_EQ(answered.response.actuator(), "balloon");
  EXPECT_EQ(answered.response.eta_ms(), 12);
  EXPECT_EQ(Answer(Connect(), asked.id(), 1).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(AskTest, WithoutAWatcherItIsUnavailable) {
  const Answered answered = Ask(Connect(), For(kMiB));
  EXPECT_EQ(answered.status.error_code(), grpc::StatusCode::UNAVAILABLE) << answered.status.error_message();
}

TEST_F(AskTest, AtTheDeadlineNothingIsGrantedAndTheReasonSaid) {
  const auto watch = Watch();
  watch->Next();
  const Answered answered = Ask(Connect(), For(kMiB, 50));
  ASSERT_TRUE(answered.status.ok()) << answered.status.error_message();
  EXPECT_EQ(answered.response.granted_bytes(), 0);
  EXPECT_THAT(answered.response.reason(), HasSubstr("nobody answered"));
}

TEST_F(AskTest, AnAskerThatLeavesMakesRoom) {
  const auto watch = Watch();
  watch->Next();
  grpc::ClientContext context;
  const auto stub = guest::v1::GuestAgent::NewStub(Connect());
  auto asking = std::async(std::launch::async, [&] {
    guest::v1::RequestMemoryResponse response;
    return stub->RequestMemory(&context, For(kMiB, 60'000), &response);
  });
  const auto event = watch->Until(IsRequest);
  ASSERT_TRUE(event.has_value());
  context.TryCancel();
  EXPECT_EQ(asking.get().error_code(), grpc::StatusCode::CANCELLED);
  const uint64_t id = event->event().memory_request().id();
  EXPECT_TRUE(
      Eventually([&] { return Answer(Connect(), id, -1).error_code() == grpc::StatusCode::NOT_FOUND; }));
}

TEST_F(AskTest, AFullBoardLeavesWatchersAndOtherCallsAlone) {
  const auto watch = Watch();
  watch->Next();
  std::vector<std::future<Answered>> askers;
  for (size_t i = 0; i < RequestBoard::kMaxWaiting; ++i) {
    askers.push_back(std::async(std::launch::async, [this] { return Ask(Connect(), For(kMiB, 5'000)); }));
  }
  std::vector<uint64_t> ids;
  while (ids.size() < RequestBoard::kMaxWaiting) {
    const auto event = watch->Until(IsRequest);
    ASSERT_TRUE(event.has_value());
    ids.push_back(event->event().memory_request().id());
  }
  EXPECT_EQ(Ask(Connect(), For(kMiB)).status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_NO_FATAL_FAILURE((void)Watch()->Next());
  for (const uint64_t id : ids) EXPECT_TRUE(Answer(Connect(), id, kMiB).ok());
  for (auto& asker : askers) EXPECT_EQ(asker.get().response.granted_bytes(), kMiB);
}

TEST_F(AskTest, BadFieldsAreNamed) {
  const auto fault = [this](const guest::v1::RequestMemoryRequest& request) {
    const Answered answered = Ask(Connect(), request);
    EXPECT_EQ(answered.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    return answered.status.error_message();
  };
  EXPECT_THAT(fault(For(0)), HasSubstr("bytes is 0; allowed: 1..2^50"));
  EXPECT_THAT(fault(For(kMiB, 60'001)), HasSubstr("deadline_ms is 60001"));
  auto long_name = For(kMiB);
  long_name.set_asker(std::string(65, 'x'));
  EXPECT_THAT(fault(long_name), HasSubstr("asker has 65 bytes"));
}

}  // namespace
}  // namespace ballast::agent
