#include "guest-agent/service/timer_engine.h"

#include <gmock/gmock.h>

#include <future>
#include <memory>
#include <thread>
#include <vector>

namespace ballast::agent {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::ElementsAre;

TEST(TimerEngine, RunsWhatIsDueInTheOrderOfTime) {
  std::vector<int> ran;
  std::promise<void> last;
  TimerEngine engine;
  const auto start = steady_clock::now();
  engine.RunAfter(milliseconds(60), [&] {
    ran.push_back(3);
    last.set_value();
  });
  engine.RunAfter(milliseconds(30), [&] { ran.push_back(2); });
  engine.RunAfter(milliseconds(-5), [&] { ran.push_back(1); });
  last.get_future().wait();
  EXPECT_THAT(ran, ElementsAre(1, 2, 3));
  EXPECT_GE(steady_clock::now() - start, milliseconds(60));
}

TEST(TimerEngine, ASoonerTaskIsNotKeptWaitingByALaterOne) {
  TimerEngine engine;
  engine.RunAfter(hours(1), [] { ADD_FAILURE() << "an hour too early"; });
  for (int i = 0; i < 3; ++i) {
    std::promise<void> ran;
    engine.Run([&] { ran.set_value(); });
    ASSERT_EQ(ran.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
    std::this_thread::sleep_for(milliseconds(20));  // by then it sleeps, for an hour
  }
}

TEST(TimerEngine, WhatIsCancelledDoesNotRun) {
  std::promise<void> ran;
  std::promise<void> over;
  TimerEngine engine;
  const auto cancelled = engine.RunAfter(milliseconds(20), [] { ADD_FAILURE() << "it was cancelled"; });
  const auto done = engine.RunAfter(milliseconds(0), [&] { ran.set_value(); });
  engine.RunAfter(milliseconds(40), [&] { over.set_value(); });
  EXPECT_TRUE(engine.Cancel(cancelled));
  EXPECT_FALSE(engine.Cancel(cancelled));
  ran.get_future().wait();
  EXPECT_FALSE(engine.Cancel(done));
  over.get_future().wait();
}

TEST(TimerEngine, ATaskMayAddAndCancelOthers) {
  std::promise<bool> cancelled;
  TimerEngine engine;
  engine.Run([&] {
    EXPECT_TRUE(engine.IsWorkerThread());
    const auto handle = engine.RunAfter(hours(1), [] {});
    engine.Run([&, handle] { cancelled.set_value(engine.Cancel(handle)); });
  });
  EXPECT_TRUE(cancelled.get_future().get());
  EXPECT_FALSE(engine.IsWorkerThread());
}

class Counting final : public TimerEngine::Closure {
 public:
  void Run() override { ran.set_value(); }
  std::promise<void> ran;
};

TEST(TimerEngine, AClosureIsRunAndStaysItsOwners) {
  Counting closure;
  TimerEngine engine;
  engine.Run(&closure);
  closure.ran.get_future().wait();
}

TEST(TimerEngine, WhatIsNotYetDueEndsWithIt) {
  const auto held = std::make_shared<int>(1);
  {
    TimerEngine engine;
    engine.RunAfter(TimerEngine::Duration::max(), [held] { ADD_FAILURE() << "it is not due"; });
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace ballast::agent
