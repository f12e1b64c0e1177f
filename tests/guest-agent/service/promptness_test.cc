// A rise reaches the client at once, also when the link has been silent for a while: whatever thread a report
// needs on its way must not be napping. (gRPC's callback threads nap for 100 ms after a second without work.)
#include <chrono>
#include <thread>

#include "tests/guest-agent/service/agent_fixture.h"

namespace ballast::agent {
namespace {

using guest::v1::WatchRequest;

constexpr int64_t kArmedBelow = 296 * kMiB;
constexpr int64_t kPressedBelow = 293 * kMiB;
constexpr int64_t kCriticalBelow = 290 * kMiB;

void Fix(guest::v1::Limit& limit, int64_t bytes) {
  limit.set_permyriad(1);
  limit.set_min_bytes(bytes);
  limit.set_max_bytes(bytes);
}

// Limits so close together that the guest is looked at every few milliseconds, and silence between rises.
WatchRequest Nervous() {
  WatchRequest request;
  Fix(*request.mutable_thresholds()->mutable_armed(), kArmedBelow);
  Fix(*request.mutable_thresholds()->mutable_pressed(), kPressedBelow);
  Fix(*request.mutable_thresholds()->mutable_critical(), kCriticalBelow);
  request.mutable_thresholds()->set_exhaustion_horizon_ms(1);
  request.mutable_cadence()->set_quiet_ms(60'000);
  request.mutable_cadence()->set_armed_ms(10'000);
  request.mutable_cadence()->set_pressed_ms(1'000);
  return request;
}

class PromptnessTest : public AgentFixture {
 protected:
  // From the rewrite of the tree to the client's hands.
  Nanos TimeToTell(Watching& watch, int64_t available_bytes, guest::v1::Level level) {
    const MonotonicTime fell_at = clock_.Now();
    Guest().SetAvailable(available_bytes);
    const auto told =
        watch.Until([&](const auto& r) { return r.has_report() && r.report().level() >= level; });
    EXPECT_TRUE(told.has_value());
    return clock_.Now() - fell_at;
  }
  void StartAnew() {
    TearDown();
    SetUp();
  }
};

TEST_F(PromptnessTest, ASecondRiseAfterALongSilenceIsToldAtOnce) {
  constexpr int kRounds = 8;
  // More than half shows that it is the rule; the rest is left to a busy machine.
  constexpr int kEnough = 5;
  constexpr Nanos kAtOnce = Milliseconds(35);
  int prompt = 0;
  for (int round = 0; round < kRounds; ++round) {
    // A fresh agent's threads have all been idle for the same time, so they would nap together.
    StartAnew();
    Guest().SetAvailable(300 * kMiB);
    const auto watch = Watch(Nervous());
    ASSERT_TRUE(watch->Next().has_hello());
    std::this_thread::sleep_for(std::chrono::milliseconds(1'010 + 5 * (round % 4)));
    TimeToTell(*watch, 295 * kMiB, guest::v1::LEVEL_ARMED);
    if (TimeToTell(*watch, 292 * kMiB, guest::v1::LEVEL_PRESSED) < kAtOnce) ++prompt;
  }
  EXPECT_GE(prompt, kEnough);
}

}  // namespace
}  // namespace ballast::agent
