// What the sampling thread leaves to a watch, and when it looks itself all the same.
#include <gmock/gmock.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <mutex>
#include <optional>
#include <vector>

#include "tests/guest-agent/service/agent_fixture.h"

namespace ballast::agent {
namespace {

using guest::v1::WatchRequest;

constexpr int64_t kAvailable = 900 * kMiB;  // of the fixture's guest of 1 GiB
constexpr int64_t kPressed = 150 * kMiB;
constexpr Nanos kLongestRest = Seconds(5);

// Looks at nothing: the test says when it fires.
class FakeWatch final : public MemoryWatch {
 public:
  int Fd() const override { return fired_.Get(); }
  bool Watch(const WatchOrder& order, MonotonicTime now) override {
    const std::lock_guard lock(mutex_);
    Clear();
    calm_.reset();
    if (!reliable_) {
      ++refused_;
      return false;
    }
    orders_.push_back({order, now});
    return true;
  }
  void Relax(Nanos look_every) override {
    const std::lock_guard lock(mutex_);
    Clear();
    relaxed_ = look_every;
  }
  std::optional<CalmLook> LastCalmLook() const override {
    const std::lock_guard lock(mutex_);
    return calm_;
  }

  struct Given {
    WatchOrder order;
    MonotonicTime at;
  };
  void Refuse() {
    const std::lock_guard lock(mutex_);
    reliable_ = false;
  }
  void Fire(std::optional<CalmLook> before = std::nullopt) {
    const std::lock_guard lock(mutex_);
    calm_ = before;
    const uint64_t one = 1;
    ASSERT_EQ(::write(fired_.Get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
  }
  std::vector<Given> Orders() const {
    const std::lock_guard lock(mutex_);
    return orders_;
  }
  int Refused() const {
    const std::lock_guard lock(mutex_);
    return refused_;
  }
  std::optional<Nanos> Relaxed() const {
    const std::lock_guard lock(mutex_);
    return relaxed_;
  }

 private:
  void Clear() {
    uint64_t count = 0;
    [[maybe_unused]] const ssize_t n = ::read(fired_.Get(), &count, sizeof count);
  }

  const UniqueFd fired_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  mutable std::mutex mutex_;
  bool reliable_ = true;
  std::vector<Given> orders_;
  int refused_ = 0;
  std::optional<Nanos> relaxed_;
  std::optional<CalmLook> calm_;
};

class RestTest : public AgentFixture {
 protected:
  void SetUp() override {
    UseWatch(&watch_);
    AgentFixture::SetUp();
  }
  // A watcher who hears nothing more than every `quiet` while nothing happens.
  std::unique_ptr<Watching> WatchFor(Nanos quiet) {
    WatchRequest request;
    request.mutable_cadence()->set_quiet_ms(static_cast<uint32_t>(quiet.count / kNanosPerMilli));
    auto watching = Watch(request);
    hello_at_ = At(watching->Next().hello().report());
    return watching;
  }
  FakeWatch::Given LastOrder() {
    EXPECT_TRUE(Eventually([&] { return !watch_.Orders().empty(); }));
    return watch_.Orders().back();
  }
  static MonotonicTime At(const guest::v1::Report& report) {
    return {static_cast<int64_t>(report.monotonic_ns())};
  }
  static guest::v1::Report NextReport(Watching& watching) { return watching.Next().report(); }

  FakeWatch watch_;
  MonotonicTime hello_at_;
};

TEST_F(RestTest, TheWatchIsToldWhatTheSamplesWouldHaveNoticed) {
  const auto watching = WatchFor(Seconds(60));
  const WatchOrder order = LastOrder().order;
  EXPECT_EQ(order.left_bytes, kAvailable) << "all of it is free";
  EXPECT_EQ(order.fall_bytes, 4 * kMiB);
  EXPECT_EQ(order.rise_bytes, 4 * kMiB);
  EXPECT_EQ(order.stall_us, 10'000);
  EXPECT_GT(order.look_every, Milliseconds(150));
  EXPECT_LT(order.look_every, Milliseconds(200));
}

TEST_F(RestTest, WhileNothingFiresNothingIsRead) {
  const auto watching = WatchFor(Seconds(2));
  LastOrder();
  Guest().SetAvailable(kPressed);
  const auto report = NextReport(*watching);
  EXPECT_EQ(report.level(), guest::v1::LEVEL_PRESSED);
  EXPECT_GE(At(report), hello_at_ + Seconds(2)) << "that it has to say something is what woke it";
}

TEST_F(RestTest, WhatFiresIsLookedAtAtOnce) {
  const auto watching = WatchFor(Seconds(60));
  const auto order = LastOrder();
  Guest().SetAvailable(kPressed);
  watch_.Fire();
  const auto report = NextReport(*watching);
  EXPECT_EQ(report.level(), guest::v1::LEVEL_PRESSED);
  EXPECT_LT(At(report), order.at + kLongestRest);
}

TEST_F(RestTest, AWatchThatCannotBeReliedOnIsNot) {
  watch_.Refuse();
  const auto watching = WatchFor(Seconds(60));
  ASSERT_TRUE(Eventually([&] { return watch_.Refused() > 0; }));
  Guest().SetAvailable(kPressed);
  const MonotonicTime fell_at = clock_.Now();
  EXPECT_LT(At(NextReport(*watching)), fell_at + kLongestRest);
}

TEST_F(RestTest, ANewcomerIsNotKeptWaiting) {
  const auto watching = WatchFor(Seconds(60));
  const auto order = LastOrder();
  WatchFor(Seconds(60));
  EXPECT_LT(hello_at_, order.at + kLongestRest);
}

TEST_F(RestTest, TheMostDemandingWatcherDecides) {
  const auto patient = WatchFor(Seconds(60));
  LastOrder();
  WatchRequest request;
  auto& armed = *request.mutable_thresholds()->mutable_armed();
  armed.set_permyriad(1);
  armed.set_min_bytes(kAvailable - kMiB);
  armed.set_max_bytes(kAvailable - kMiB);
  const auto demanding = Watch(request);
  EXPECT_TRUE(Eventually([&] { return LastOrder().order.fall_bytes == kMiB; }));
}

TEST_F(RestTest, TheTrendKnowsWhatTheWatchSawLast) {
  const auto watching = WatchFor(Seconds(60));
  const auto order = LastOrder();
  // 20 MiB in 200 ms after the order, which came with the sample; and the rest of it after that.
  const MonotonicTime calm_at = order.at + Milliseconds(200);
  ASSERT_TRUE(Eventually([&] { return clock_.Now() >= calm_at + Milliseconds(10); }));
  Guest().SetAvailable(kPressed);
  watch_.Fire(MemoryWatch::CalmLook{calm_at, kAvailable - 20 * kMiB});
  const int64_t rate = NextReport(*watching).derived().consumption_bytes_per_second();
  EXPECT_LE(rate, 100 * kMiB);
  EXPECT_GT(rate, 50 * kMiB);
}

TEST_F(RestTest, WithoutWatchersItIsLaidAside) {
  auto watching = WatchFor(Seconds(1));  // that its client has left shows when there is something to say
  LastOrder();
  watching.reset();
  EXPECT_TRUE(Eventually([&] { return watch_.Relaxed() == Seconds(1); }));
}

}  // namespace
}  // namespace ballast::agent
