#include "guest-agent/ask/request_board.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <thread>
#include <vector>

namespace ballast::agent {
namespace {

using ::testing::HasSubstr;

MemoryRequested Wanting(int64_t bytes, int64_t deadline_ms = 10'000) {
  MemoryRequested request;
  request.bytes = bytes;
  request.deadline_ms = deadline_ms;
  request.asker = ToAskerName("test");
  return request;
}

bool Stays() { return false; }

TEST(RequestBoard, TheFirstAnswerCountsAndTheNextComesTooLate) {
  RequestBoard* hung = nullptr;
  RequestBoard board([&hung](const MemoryRequested& request) {
    EXPECT_EQ(request.bytes, 64);
    EXPECT_EQ(ToText(request.asker), "test");
    EXPECT_TRUE(hung->Answer(request.id, {48, "balloon", 7, "no more"}).ok());
    const auto second = hung->Answer(request.id, {64, "balloon", 7, ""});
    EXPECT_TRUE(absl::IsNotFound(second)) << second;
    return size_t{1};
  });
  hung = &board;
  const auto grant = board.Ask(Wanting(64), Stays);
  ASSERT_TRUE(grant.ok()) << grant.status();
  EXPECT_EQ(*grant, (MemoryGrant{48, "balloon", 7, "no more"}));
}

TEST(RequestBoard, NobodyToAnswerIsSaidAtOnce) {
  RequestBoard board([](const MemoryRequested&) { return size_t{0}; });
  EXPECT_TRUE(absl::IsUnavailable(board.Ask(Wanting(1), Stays).status()));
  EXPECT_TRUE(absl::IsNotFound(board.Answer(1, {}))) << "nothing is left hanging";
}

TEST(RequestBoard, TheDeadlineIsAnAnswerAndAfterItThereIsNobody) {
  uint64_t id = 0;
  RequestBoard board([&id](const MemoryRequested& request) {
    id = request.id;
    return size_t{1};
  });
  const auto begin = std::chrono::steady_clock::now();
  const auto grant = board.Ask(Wanting(64, 30), Stays);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(30));
  ASSERT_TRUE(grant.ok()) << grant.status();
  EXPECT_EQ(grant->granted_bytes, 0);
  EXPECT_EQ(grant->reason, "nobody answered within 30 ms");
  EXPECT_TRUE(absl::IsNotFound(board.Answer(id, {64, "", 0, ""})));
}

TEST(RequestBoard, AnAskerWhoLeavesTakesItsRequestAlong) {
  uint64_t id = 0;
  RequestBoard board([&id](const MemoryRequested& request) {
    id = request.id;
    return size_t{1};
  });
  const auto grant = board.Ask(Wanting(64, 60'000), [] { return true; });
  EXPECT_TRUE(absl::IsCancelled(grant.status())) << grant.status();
  EXPECT_TRUE(absl::IsNotFound(board.Answer(id, {64, "", 0, ""})));
}

TEST(RequestBoard, OnlySoManyWait) {
  std::atomic<size_t> shown{0};
  std::atomic<bool> leave{false};
  RequestBoard board([&shown](const MemoryRequested&) { return ++shown; });
  std::vector<std::future<absl::Status>> askers;
  for (size_t i = 0; i < RequestBoard::kMaxWaiting; ++i) {
    askers.push_back(std::async(std::launch::async, [&] {
      return board.Ask(Wanting(1), [&leave] { return leave.load(); }).status();
    }));
  }
  while (shown < RequestBoard::kMaxWaiting) std::this_thread::yield();
  EXPECT_TRUE(absl::IsResourceExhausted(board.Ask(Wanting(1), Stays).status()));
  leave = true;
  for (auto& asker : askers) EXPECT_TRUE(absl::IsCancelled(asker.get()));
  EXPECT_TRUE(absl::IsCancelled(board.Ask(Wanting(1), [] { return true; }).status()))
      << "there is room again";
}

struct BadAnswer {
  MemoryGrant grant;
  const char* field;
};

TEST(RequestBoard, AnswersOutOfRangeAreRefusedAndTheAskerWaitsOn) {
  const std::vector<BadAnswer> bad{{{-1, "", 0, ""}, "granted_bytes is -1; allowed: 0..64"},
                                   {{65, "", 0, ""}, "granted_bytes is 65"},
                                   {{1, "", -1, ""}, "eta_ms is -1"},
                                   {{1, "", 3'600'001, ""}, "eta_ms is 3600001"},
                                   {{1, std::string(33, 'x'), 0, ""}, "actuator has 33"},
                                   {{1, "", 0, std::string(257, 'x')}, "reason has 257"}};
  RequestBoard* hung = nullptr;
  std::thread watcher;
  RequestBoard board([&](const MemoryRequested& request) {
    watcher = std::thread([&, id = request.id] {
      for (const BadAnswer& answer : bad) {
        const auto status = hung->Answer(id, answer.grant);
        EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
        EXPECT_THAT(std::string(status.message()), HasSubstr(answer.field));
      }
      EXPECT_TRUE(hung->Answer(id, {64, std::string(32, 'x'), 3'600'000, std::string(256, 'x')}).ok());
    });
    return size_t{1};
  });
  hung = &board;
  const auto grant = board.Ask(Wanting(64), Stays);
  watcher.join();
  ASSERT_TRUE(grant.ok());
  EXPECT_EQ(grant->granted_bytes, 64);
}

}  // namespace
}  // namespace ballast::agent
