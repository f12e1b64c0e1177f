// Memory that comes and goes, through the whole of Ballast: an operator resizes a real guest by the bridge's
// API, and a guest that outgrows its boot memory is given more by the rules.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "absl/time/clock.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "tests/lab/resize_lab.h"

namespace ballast::lab {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ResizeTest : public ResizeLab {
 protected:
  void Cycle(const GuestOptions& options);
};

int Cycles() {
  const char* asked = std::getenv("BALLAST_HOTPLUG_CYCLES");
  return asked != nullptr ? std::max(1, std::atoi(asked)) : 1;
}

// Back and forth under load. A hot working set of 150 MiB is moved out of the blocks that leave; a file that
// is read all the time goes through the page cache.
void ResizeTest::Cycle(const GuestOptions& options) {
  ASSERT_NO_FATAL_FAILURE(Begin(options, "mode = guard"));  // nobody else takes anything meanwhile
  auto load = guest_->ExecAsync("lab-guest hog --mib 150 --touch-again 1 --hold-ms 3600000");
  ASSERT_TRUE(load.ok()) << load.status();
  const absl::Time began = absl::Now();
  for (int cycle = 0; cycle < Cycles() && !HasFatalFailure(); ++cycle) {
    SCOPED_TRACE(StrCat("cycle ", cycle));
    ResizeAndCheck(4 * kGiB);
    ResizeAndCheck(512 * kMiB);
    EXPECT_THAT(Backends(), IsEmpty());
    if (HasFailure()) break;
  }
  std::printf("%d cycles of 512 MiB -> 4 GiB -> 512 MiB in %.1f s\n", Cycles(),
              absl::ToDoubleSeconds(absl::Now() - began));
  EXPECT_EQ(guest_->OomKills().value_or(-1), 0);
  EXPECT_TRUE(absl::IsDeadlineExceeded(load->Wait(absl::Milliseconds(1)).status()))
      << "the load must still run";
}

GuestOptions Dimms() {
  GuestOptions options;
  options.name = "dimms";
  options.memory_mib = 512;
  options.hotplug_mib = 3584;
  options.hotplug_slots = 7;
  // Seven times the boot memory: what is to leave again as a whole must not serve the kernel.
  options.agent_args = {"--online=movable"};
  return options;
}

GuestOptions VirtioMem() {
  GuestOptions options;
  options.name = "virtio";
  options.memory_mib = 512;
  options.virtio_mem_mib = 3584;
  options.agent_args = {"--online=movable"};
  return options;
}

TEST_F(ResizeTest, ByDimmsAGuestGrowsEightfoldAndBackUnderLoad) { Cycle(Dimms()); }

TEST_F(ResizeTest, ByDimmsAGuestOfTheNewestKernelDoesToo) {
  const auto kernels = LabKernels();
  ASSERT_TRUE(kernels.ok()) << kernels.status();
  GuestOptions options = Dimms();
  options.kernel = kernels->back().kernel;
  options.initramfs = kernels->back().initramfs;
  Cycle(options);
}

TEST_F(ResizeTest, ByVirtioMemAGuestGrowsEightfoldAndBackUnderLoad) { Cycle(VirtioMem()); }

TEST_F(ResizeTest, ADryRunShowsThePlanAndTouchesNothing) {
  ASSERT_NO_FATAL_FAILURE(Begin(Dimms()));
  const auto shown = operator_->Resize(Name(), 2 * kGiB, /*dry_run=*/true);
  ASSERT_TRUE(shown.ok()) << shown.status();
  ASSERT_EQ(shown->plan.steps_size(), 1);
  EXPECT_EQ(shown->plan.steps(0).kind(), bridge::v1::ResizeStep::KIND_PLUG);
  EXPECT_EQ(shown->plan.to_bytes(), 2 * kGiB);
  EXPECT_EQ(SizeByQmp(), 512 * kMiB);
  const auto beyond = operator_->Resize(Name(), 64 * kGiB, /*dry_run=*/true);
  ASSERT_TRUE(beyond.ok());
  EXPECT_EQ(beyond->plan.to_bytes(), 4 * kGiB);
  EXPECT_THAT(beyond->plan.limit(), HasSubstr("its VM has slots and room for no more than 4GiB"));
  const auto unknown = operator_->Resize("nobody", kGiB);
  EXPECT_THAT(MessageOf(unknown.status()), HasSubstr("there are: dimms"));
}

// With a balloon that has nothing to give back: 900 MiB do not fit into 512, until the rules plug more; when
// the work is over and nobody needs it, it leaves again.
TEST_F(ResizeTest, AGuestThatOutgrowsItsBootMemoryIsCarriedAndGivesItBack) {
  ASSERT_NO_FATAL_FAILURE(
      Begin(Dimms(), "",
            "report-quiet = 1s\n[policy]\nunplug-after = 5s\nidle-after = 5s\nworking-set-window = 5s\n"
            "idle-interval = 2s\n"));
  const auto work =
      guest_->Exec("lab-guest hog --mib 900 --rate-mib-s 60 --hold-ms 3000", absl::Seconds(120));
  ASSERT_TRUE(work.ok()) << work.status();
  EXPECT_EQ(work->status, 0) << work->output;
  EXPECT_EQ(guest_->OomKills().value_or(-1), 0);
  EXPECT_THAT(bridge_->Log(), HasSubstr("[rule 9"));
  const int64_t highest = OnlineBytes();
  EXPECT_GE(highest, kGiB);
  EXPECT_TRUE(bridge_->WaitForLog("[rule 10", absl::Seconds(60)).ok());
  // A half of what is not needed at a time, down to a unit that cannot be divided.
  const absl::Time deadline = absl::Now() + absl::Seconds(120);
  while (SizeByQmp() > 768 * kMiB && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(500));
  EXPECT_LE(SizeByQmp(), 768 * kMiB);
  EXPECT_LT(OnlineBytes(), highest) << "not by the balloon alone";
}

// A bridge that dies between the VMM's promise and the guest's answer: the next one finds what is left.
TEST_F(ResizeTest, ABridgeThatIsKilledInTheMiddleLeavesNothingBehind) {
  ASSERT_NO_FATAL_FAILURE(Begin(Dimms()));
  ASSERT_NO_FATAL_FAILURE(ResizeAndCheck(2 * kGiB));
  for (const int after_ms : {5, 20, 60, 150}) {
    SCOPED_TRACE(StrCat("killed after ", after_ms, " ms"));
    std::thread shrink([this] { static_cast<void>(operator_->Resize(Name(), 512 * kMiB)); });
    absl::SleepFor(absl::Milliseconds(after_ms));
    bridge_->Process().Kill();
    shrink.join();
    ASSERT_NO_FATAL_FAILURE(StartBridge());
    // Whatever had begun is finished or undone: nothing stays offline, no backend without its DIMM.
    ASSERT_NO_FATAL_FAILURE(ResizeAndCheck(2 * kGiB));
    EXPECT_EQ(Backends().size(), static_cast<size_t>(NumberOfDimms()));
  }
  ResizeAndCheck(512 * kMiB);
  EXPECT_THAT(Backends(), IsEmpty());
}

}  // namespace
}  // namespace ballast::lab
