// Verdicts on their way to those who watch, and to those who come later.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "guest-agent/service/verdict_post.h"
#include "tests/guest-agent/service/agent_fixture.h"

namespace ballast::agent {
namespace {

using guest::v1::WatchRequest;
using guest::v1::WatchResponse;

class VerdictDeliveryTest : public AgentFixture {
 protected:
  void Tell(uint64_t id) {
    OomVerdict verdict;
    verdict.id = id;
    verdict.source = OomSource::kBpf;
    verdict.kill.pid = static_cast<int32_t>(id) + 100;
    VerdictPost(Verdicts(), Loop()).OnVerdict(verdict);
  }

  static WatchRequest Knowing(uint64_t id, uint64_t generation = kGeneration) {
    WatchRequest request;
    request.set_known_verdict_id(id);
    request.set_known_verdict_generation(generation);
    return request;
  }

  // The ids that come until the one that is told now.
  std::vector<uint64_t> Until(Watching& watch, uint64_t last) {
    std::vector<uint64_t> ids;
    watch.Until([&](const WatchResponse& message) {
      if (message.has_event() && message.event().has_oom_verdict())
        ids.push_back(message.event().oom_verdict().id());
      return !ids.empty() && ids.back() == last;
    });
    return ids;
  }
};

using Ids = std::vector<uint64_t>;

TEST_F(VerdictDeliveryTest, ComesAtOnceToEverybodyAndOnce) {
  const auto one = Watch();
  const auto other = Watch();
  one->Next();
  other->Next();
  Tell(1);
  Tell(2);
  EXPECT_EQ(Until(*one, 2), (Ids{1, 2}));
  EXPECT_EQ(Until(*other, 2), (Ids{1, 2}));
}

TEST_F(VerdictDeliveryTest, WhatNobodySawComesRightAfterTheHelloAndIsMarked) {
  Tell(1);
  Tell(2);
  const auto watch = Watch();
  EXPECT_TRUE(watch->Next().has_hello());
  for (uint64_t id = 1; id <= 2; ++id) {
    const WatchResponse message = watch->Next();
    ASSERT_TRUE(message.event().has_oom_verdict());
    EXPECT_EQ(message.sequence(), id + 1);
    EXPECT_EQ(message.event().oom_verdict().id(), id);
    EXPECT_TRUE(message.event().oom_verdict().late());
  }
  Tell(3);
  const auto fresh = watch->Until([](const WatchResponse& message) { return message.has_event(); });
  ASSERT_TRUE(fresh.has_value());
  EXPECT_EQ(fresh->event().oom_verdict().id(), 3u);
  EXPECT_FALSE(fresh->event().oom_verdict().late());
}

TEST_F(VerdictDeliveryTest, WhatTheClientKnowsIsLeftOut) {
  for (uint64_t id = 1; id <= 3; ++id) Tell(id);
  const auto knows = Watch(Knowing(2));
  const auto stranger = Watch(Knowing(2, kGeneration + 1));
  const auto knows_all = Watch(Knowing(3));
  for (Watching* watch : {knows.get(), stranger.get(), knows_all.get()}) watch->Next();
  Tell(4);
  EXPECT_EQ(Until(*knows, 4), (Ids{3, 4}));
  EXPECT_EQ(Until(*stranger, 4), (Ids{1, 2, 3, 4}));
  EXPECT_EQ(Until(*knows_all, 4), (Ids{4}));
}

TEST_F(VerdictDeliveryTest, NoneTwiceAndNoneLostWhileWatchersCome) {
  constexpr uint64_t kVerdicts = 60;  // fewer than are kept
  std::atomic<bool> done{false};
  std::thread teller([&] {
    for (uint64_t id = 1; id <= kVerdicts; ++id) {
      Tell(id);
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    done = true;
  });
  Ids all;
  for (uint64_t id = 1; id <= kVerdicts; ++id) all.push_back(id);
  while (!done) {
    const auto watch = Watch();
    EXPECT_EQ(Until(*watch, kVerdicts), all);
  }
  teller.join();
}

}  // namespace
}  // namespace ballast::agent
