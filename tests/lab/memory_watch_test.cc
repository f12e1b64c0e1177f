// The programs in a real guest's kernel look at its memory, so that the agent need not: it wakes rarely, is
// told of a fall as it happens, and what was put into the kernel ends with it.
#include <cstdio>
#include <cstdlib>
#include <string>

#include <gmock/gmock.h>

#include "absl/time/clock.h"
#include "common/base/units.h"
#include "tests/lab/agent_watch.h"
#include "tests/lab/lab_fixture.h"
#include "tests/lab/oom_case.h"

namespace ballast::lab {
namespace {

using guest::v1::Report;

constexpr int kBursts = 2;

// One test a kernel: the parameter counts the laboratory's.
class MemoryWatchTest : public LabTest, public ::testing::WithParamInterface<size_t> {
 protected:
  void BootThis() {
    const auto kernels = LabKernels();
    ASSERT_TRUE(kernels.ok()) << kernels.status();
    ASSERT_LT(GetParam(), kernels->size());
    const LabKernel& kernel = (*kernels)[GetParam()];
    // Free page reporting takes free pages aside for a moment: each time a reason to look.
    guest_ = Boot({.memory_mib = 512,
                   .free_page_reporting = false,
                   .kernel = kernel.kernel,
                   .initramfs = kernel.initramfs});
    ASSERT_NE(guest_, nullptr);
  }
  void WatchFrom(const std::string& arguments) {
    watch_.reset();
    ASSERT_TRUE(RestartAgent(*guest_, arguments).ok());
    guest::v1::WatchRequest request;
    request.mutable_cadence()->set_quiet_ms(60'000);
    request.mutable_cadence()->set_armed_ms(10'000);
    auto watch = AgentWatch::Connect(guest_->PortAddress(kAgentPort), request);
    ASSERT_TRUE(watch.ok()) << watch.status();
    watch_ = *std::move(watch);
  }
  std::string WhyNoWatch() const {
    for (const auto& capability : watch_->info().capabilities()) {
      if (capability.name() == "memory_watch") return capability.reason();
    }
    return "it is not mentioned";
  }
  int64_t Ask(const std::string& command) {
    const auto result = guest_->Exec(command);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? std::atoll(result->output.c_str()) : -1;
  }
  // How often the agent's own threads slept and woke; gRPC's have other names.
  int64_t Wakes() {
    return Ask(
        "for s in /proc/[0-9]*/task/*/status; do grep -q '^Name:.ballast-agent' $s 2>/dev/null && cat $s; "
        "done | "
        "awk '/^voluntary/ {s+=$2} END {print s}'");
  }
  int64_t WakesIn(absl::Duration span) {
    const int64_t before = Wakes();
    absl::SleepFor(span);
    return Wakes() - before;
  }
  int64_t Timers() { return Ask("grep -c bpf_timer_cb /proc/timer_list"); }

  void ExpectToldAsItHappens() {
    const auto calm = watch_->Reports().size();
    auto hog = guest_->ExecAsync("timeout -s KILL 9 lab-guest hog --mib 280 --hold-ms 60000");
    ASSERT_TRUE(hog.ok()) << hog.status();
    ASSERT_TRUE(watch_->Until([](const Report& r) { return r.level() >= guest::v1::LEVEL_ARMED; },
                              absl::Seconds(20)));
    const Report first = watch_->Reports()[calm].report;
    absl::SleepFor(absl::Seconds(5));  // until it has all of it, on any machine
    const int64_t in_the_end = Ask("awk '/^MemAvailable/ {print $2}' /proc/meminfo") * kKiB;
    std::printf("told at %lld MiB, in the end %lld MiB\n",
                static_cast<long long>(first.meminfo().available_bytes() / kMiB),
                static_cast<long long>(in_the_end / kMiB));
    EXPECT_GT(first.meminfo().available_bytes(), in_the_end + 10 * kMiB) << "told after it was over";
    (void)guest_->Exec("while pidof timeout; do usleep 50000; done");
  }

  Guest* guest_ = nullptr;
  std::unique_ptr<AgentWatch> watch_;
};

TEST_P(MemoryWatchTest, LooksInTheAgentsPlace) {
  ASSERT_NO_FATAL_FAILURE(BootThis());
  ASSERT_NO_FATAL_FAILURE(WatchFrom("--no-bpf"));
  EXPECT_THAT(WhyNoWatch(), ::testing::HasSubstr("turned off"));
  EXPECT_EQ(Timers(), 0);
  absl::SleepFor(absl::Seconds(3));
  const int64_t alone = WakesIn(absl::Seconds(6));

  ASSERT_NO_FATAL_FAILURE(WatchFrom(""));
  EXPECT_EQ(WhyNoWatch(), "");
  EXPECT_EQ(Timers(), 1);
  absl::SleepFor(absl::Seconds(3));
  const int64_t watched = WakesIn(absl::Seconds(6));
  std::printf("%lld wakes alone, %lld with the watch\n", static_cast<long long>(alone),
              static_cast<long long>(watched));
  EXPECT_LT(5 * watched, alone);
  EXPECT_GT(alone, 0);

  for (int burst = 0; burst < kBursts; ++burst) {
    ASSERT_NO_FATAL_FAILURE(WatchFrom(""));
    absl::SleepFor(absl::Seconds(2));  // by then it rests
    ExpectToldAsItHappens();
  }

  // Even when it has no time to clean up.
  ASSERT_TRUE(
      guest_->Exec("killall -9 ballast-agent; while pidof ballast-agent; do usleep 20000; done").ok());
  EXPECT_EQ(Timers(), 0);
}

INSTANTIATE_TEST_SUITE_P(Kernels, MemoryWatchTest, ::testing::Values(size_t{0}, size_t{1}),
                         [](const auto& tested) { return tested.param == 0 ? "Stable" : "Backports"; });

}  // namespace
}  // namespace ballast::lab
