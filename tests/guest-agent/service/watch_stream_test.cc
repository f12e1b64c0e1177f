// One watcher's queue, without a call around it.
#include "guest-agent/service/watch_stream.h"

#include <gtest/gtest.h>

namespace ballast::agent {
namespace {

constexpr std::chrono::milliseconds kAtOnce{0};

class WatchStreamTest : public ::testing::Test {
 protected:
  guest::v1::WatchResponse Next() {
    guest::v1::WatchResponse message;
    EXPECT_EQ(stream_.Wait(kAtOnce), WatchStream::Turn::kWrite);
    stream_.FillNext(message);
    return message;
  }

  AgentIdentity identity_;
  WatchStream stream_{WatchSettings{}, identity_};
};

TEST_F(WatchStreamTest, EventsBeforeTheHelloWaitForItAndFollowInOrder) {
  stream_.OfferEvent({{1}, BalloonShrank{10}});
  stream_.OfferEvent({{2}, BalloonShrank{20}});
  EXPECT_EQ(stream_.Wait(kAtOnce), WatchStream::Turn::kLookAround);
  stream_.OfferHello({});
  stream_.OfferEvent({{3}, BalloonShrank{30}});
  const auto hello = Next();
  EXPECT_TRUE(hello.has_hello());
  EXPECT_EQ(hello.sequence(), 1u);
  for (uint64_t i = 1; i <= 3; ++i) {
    const auto event = Next();
    EXPECT_EQ(event.sequence(), i + 1);
    EXPECT_EQ(event.event().balloon_shrank().bytes(), static_cast<int64_t>(i) * 10);
  }
  EXPECT_EQ(stream_.Wait(kAtOnce), WatchStream::Turn::kLookAround);
}

TEST_F(WatchStreamTest, AVerdictThatWasOfferedBeforeIsLeftOut) {
  stream_.OfferHello({});
  Next();
  OomVerdict verdict;
  for (const uint64_t id : {1, 2, 2, 1, 3}) {
    verdict.id = id;
    stream_.OfferEvent({{1}, verdict});
  }
  for (uint64_t id = 1; id <= 3; ++id) EXPECT_EQ(Next().event().oom_verdict().id(), id);
  EXPECT_EQ(stream_.Wait(kAtOnce), WatchStream::Turn::kLookAround);
}

TEST_F(WatchStreamTest, WhatDoesNotFitIsCounted) {
  for (size_t i = 0; i < WatchStream::kMaxEvents + 3; ++i) stream_.OfferEvent({{1}, BalloonShrank{1}});
  stream_.OfferHello({});
  EXPECT_EQ(Next().hello().report().events_lost(), 3u);
}

}  // namespace
}  // namespace ballast::agent
