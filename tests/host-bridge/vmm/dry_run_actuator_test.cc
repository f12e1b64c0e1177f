#include "host-bridge/vmm/dry_run_actuator.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/host-bridge/vmm/recording_observer.h"

namespace ballast::vmm {
namespace {

class FixedClock final : public Clock {
 public:
  [[nodiscard]] MonotonicTime Now() const override { return {77}; }
};

struct Calls {
  int started = 0;
  int set = 0;
};

class CountingActuator final : public Actuator {
 public:
  explicit CountingActuator(Calls& calls) : calls_(calls) {}
  void Start() override { ++calls_.started; }
  void SetBalloon(uint64_t, BalloonBytes) override { ++calls_.set; }

 private:
  Calls& calls_;
};

struct DryRun {
  Calls calls;
  FixedClock clock;
  RecordingObserver observer;
  std::vector<std::function<void()>> tasks;
  std::unique_ptr<DryRunActuator> actuator = std::make_unique<DryRunActuator>(
      std::make_unique<CountingActuator>(calls), observer, clock,
      [this](std::function<void()> task) { tasks.push_back(std::move(task)); });
};

TEST(DryRunActuator, StartsTheRealOneButNeverSetsItsBalloon) {
  DryRun run;
  run.actuator->Start();
  run.actuator->SetBalloon(5, {kGiB});
  for (const auto& task : run.tasks) task();
  EXPECT_EQ(run.calls.started, 1);
  EXPECT_EQ(run.calls.set, 0);
  const auto receipts = run.observer.All().receipts;
  ASSERT_EQ(receipts.size(), 1u);
  EXPECT_EQ(receipts[0].id, 5u);
  EXPECT_EQ(receipts[0].target, BalloonBytes{kGiB});
  EXPECT_TRUE(receipts[0].status.ok());
  EXPECT_TRUE(receipts[0].dry_run);
  EXPECT_EQ(receipts[0].written_at, MonotonicTime{});
  EXPECT_EQ(receipts[0].done_at, MonotonicTime{77});
}

TEST(DryRunActuator, NeverCallsBackFromInsideSetBalloon) {
  DryRun run;
  run.actuator->SetBalloon(5, {kGiB});
  EXPECT_TRUE(run.observer.All().receipts.empty());
}

TEST(DryRunActuator, IsSilentOnceDestroyed) {
  DryRun run;
  run.actuator->SetBalloon(5, {kGiB});
  run.actuator.reset();
  for (const auto& task : run.tasks) task();
  EXPECT_TRUE(run.observer.All().receipts.empty());
}

}  // namespace
}  // namespace ballast::vmm
