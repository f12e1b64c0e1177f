// Does the laboratory itself work? Every other test with real guests stands on these.
#include <signal.h>
#include <unistd.h>

#include <filesystem>

#include <gmock/gmock.h>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/base/units.h"
#include "tests/lab/lab_fixture.h"

namespace ballast::lab {
namespace {

using ::testing::HasSubstr;

bool IsGone(pid_t pid) {
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  while (kill(pid, 0) == 0) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(10));
  }
  return true;
}

TEST_F(LabTest, BootsQuicklyAndRunsCommands) {
  Guest* guest = Boot({.memory_mib = 256, .agent = false});
  ASSERT_NE(guest, nullptr);
  RecordProperty("boot_ms", static_cast<int>(absl::ToInt64Milliseconds(guest->boot_time())));
  EXPECT_LT(guest->boot_time(), absl::Seconds(15)) << "5 s on an idle machine";
  const absl::StatusOr<ExecResult> failed = guest->Exec("echo out; echo err >&2; exit 3");
  ASSERT_TRUE(failed.ok()) << failed.status();
  EXPECT_EQ(failed->status, 3);
  EXPECT_EQ(failed->output, "out\nerr\n");
  EXPECT_EQ(guest->Exec("kill -9 $$")->status, 128 + SIGKILL);
}

TEST_F(LabTest, EveryKernelHasWhatTestsNeed) {
  const absl::StatusOr<std::vector<LabKernel>> kernels = LabKernels();
  ASSERT_TRUE(kernels.ok()) << kernels.status();
  ASSERT_EQ(kernels->size(), 2U);
  EXPECT_NE((*kernels)[0].release, (*kernels)[1].release);
  for (const LabKernel& kernel : *kernels) {
    SCOPED_TRACE(kernel.release);
    Guest* guest = Boot({.memory_mib = 256,
                         .zram_mib = 64,
                         .agent = false,
                         .kernel = kernel.kernel,
                         .initramfs = kernel.initramfs});
    ASSERT_NE(guest, nullptr);
    EXPECT_EQ(guest->Exec("uname -r")->output, kernel.release + "\n");
    EXPECT_THAT(guest->Exec("cat /proc/swaps")->output, HasSubstr("/dev/zram0"));
    EXPECT_EQ(
        guest->Exec("ls /sys/kernel/btf/vmlinux /sys/fs/cgroup/memory.reclaim /proc/pressure/memory")->status,
        0);
    ASSERT_EQ(guest->SetBalloon(192 * kMiB), absl::OkStatus());
  }
}

TEST_F(LabTest, CommandsRunBesideEachOtherAndDieWithTheirConnection) {
  Guest* guest = Boot({.memory_mib = 256, .agent = false});
  ASSERT_NE(guest, nullptr);
  {
    absl::StatusOr<GuestCommand> abandoned = guest->ExecAsync("exec sleep 1000");
    ASSERT_TRUE(abandoned.ok());
    EXPECT_EQ(abandoned->Wait(absl::Milliseconds(100)).status().code(), absl::StatusCode::kDeadlineExceeded);
    EXPECT_EQ(guest->Exec("pidof sleep >/dev/null")->status, 0);
  }
  EXPECT_EQ(
      guest
          ->Exec(
              "for i in 1 2 3 4 5 6 7 8 9; do pidof sleep >/dev/null || exit 0; usleep 100000; done; exit 1")
          ->status,
      0);
}

TEST_F(LabTest, BalloonMovesBothWays) {
  // Free page reporting would return what the hog leaves behind before it is measured, on a slow host at
  // least.
  Guest* guest = Boot({.memory_mib = 512, .free_page_reporting = false, .agent = false});
  ASSERT_NE(guest, nullptr);
  EXPECT_EQ(guest->BalloonActual().value(), 512 * kMiB);
  ASSERT_EQ(guest->Exec("lab-guest hog --mib 300")->status, 0);
  const int64_t full_rss = guest->RssBytes().value();
  ASSERT_EQ(guest->SetBalloon(256 * kMiB), absl::OkStatus());
  EXPECT_LT(guest->RssBytes().value(), full_rss - 100 * kMiB) << "the host got nothing back";
  ASSERT_EQ(guest->SetBalloon(512 * kMiB), absl::OkStatus());
  EXPECT_EQ(guest->BalloonActual().value(), 512 * kMiB);
}

TEST_F(LabTest, HogVerifiesItsWork) {
  Guest* guest = Boot({.memory_mib = 512, .cpus = 2, .agent = false});
  ASSERT_NE(guest, nullptr);
  const absl::StatusOr<ExecResult> hog = guest->Exec(
      "lab-guest hog --mib 200 --rate-mib-s 400 --hold-ms 100 --touch-again --cycles 2 --random-percent 10");
  ASSERT_TRUE(hog.ok()) << hog.status();
  EXPECT_EQ(hog->status, 0) << hog->output;
  EXPECT_THAT(hog->output, HasSubstr("hog: done 200 MiB in "));
  EXPECT_EQ(guest->OomKills().value(), 0);
}

TEST_F(LabTest, CountsAnOomKill) {
  Guest* guest = Boot({.memory_mib = 256, .agent = false});
  ASSERT_NE(guest, nullptr);
  const absl::StatusOr<ExecResult> hog = guest->Exec("lab-guest hog --mib 400 --hold-ms 1000");
  ASSERT_TRUE(hog.ok()) << hog.status();
  EXPECT_EQ(hog->status, 128 + SIGKILL) << hog->output;
  EXPECT_EQ(guest->OomKills().value(), 1);
}

TEST_F(LabTest, ZramAndPageCacheAreThereOnRequest) {
  Guest* guest = Boot({.memory_mib = 256, .zram_mib = 256, .disk_mib = 100, .agent = false});
  ASSERT_NE(guest, nullptr);
  const absl::StatusOr<ExecResult> hog = guest->Exec("lab-guest hog --mib 300");
  ASSERT_TRUE(hog.ok()) << hog.status();
  EXPECT_EQ(hog->status, 0) << "zram should have held what did not fit: " << hog->output;
  EXPECT_EQ(guest->Exec("lab-guest cache --mib 100")->status, 0);
}

TEST_F(LabTest, TwoGuestsAtOnceAreStrangers) {
  Guest* first = Boot({.name = "first", .memory_mib = 256, .agent = false});
  Guest* second = Boot({.name = "second", .memory_mib = 256, .agent = false});
  ASSERT_TRUE(first != nullptr && second != nullptr);
  EXPECT_NE(first->Exec("cat /proc/sys/kernel/random/boot_id")->output,
            second->Exec("cat /proc/sys/kernel/random/boot_id")->output);
  ASSERT_EQ(first->SetBalloon(192 * kMiB), absl::OkStatus());
  EXPECT_EQ(second->BalloonActual().value(), 256 * kMiB);
}

TEST_F(LabTest, ResetBootsAgain) {
  Guest* guest = Boot({.memory_mib = 256, .agent = false});
  ASSERT_NE(guest, nullptr);
  const std::string before = guest->Exec("cat /proc/sys/kernel/random/boot_id")->output;
  ASSERT_EQ(guest->Reset(), absl::OkStatus());
  ASSERT_EQ(guest->WaitForExec(absl::Seconds(45)), absl::OkStatus());
  EXPECT_NE(guest->Exec("cat /proc/sys/kernel/random/boot_id")->output, before);
}

// No new connection is tried while the guest is stopped: one that is given up then leaves vhost-device-vsock
// 0.3 unable to open any other.
TEST_F(LabTest, StoppedGuestGoesOnAfterCont) {
  Guest* guest = Boot({.memory_mib = 256, .agent = false});
  ASSERT_NE(guest, nullptr);
  absl::StatusOr<GuestCommand> command = guest->ExecAsync("sleep 2; echo late");
  ASSERT_TRUE(command.ok()) << command.status();
  ASSERT_EQ(guest->Stop(), absl::OkStatus());
  EXPECT_EQ(command->Wait(absl::Seconds(3)).status().code(), absl::StatusCode::kDeadlineExceeded);
  ASSERT_EQ(guest->Cont(), absl::OkStatus());
  const absl::StatusOr<ExecResult> result = command->Wait(absl::Seconds(20));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->output, "late\n");
}

TEST_F(LabTest, NothingIsLeftBehind) {
  pid_t qemu = 0, vsock = 0;
  std::string directory;
  {
    const absl::StatusOr<std::unique_ptr<Guest>> guest = Guest::Boot({.memory_mib = 256, .agent = false});
    ASSERT_TRUE(guest.ok()) << guest.status();
    qemu = (*guest)->pid();
    vsock = (*guest)->vsock_pid();
    directory = (*guest)->directory();
  }
  EXPECT_TRUE(IsGone(qemu));
  EXPECT_TRUE(vsock == 0 || IsGone(vsock));
  EXPECT_FALSE(std::filesystem::exists(directory));
}

TEST_F(LabTest, NothingIsLeftBehindByAKilledTest) {
  const absl::StatusOr<Workspace> workspace = Workspace::Create();
  ASSERT_TRUE(workspace.ok());
  absl::StatusOr<ChildProcess> holder =
      ChildProcess::Start({.argv = {LAB_HOLD, "256"}, .log_path = workspace->Path("hold.log")});
  ASSERT_TRUE(holder.ok()) << holder.status();
  const absl::Time deadline = absl::Now() + absl::Seconds(90);
  while (!absl::StrContains(holder->Log(), "held\n")) {
    ASSERT_TRUE(holder->IsRunning() && absl::Now() < deadline) << holder->Log();
    absl::SleepFor(absl::Milliseconds(20));
  }
  const std::vector<std::string> words = absl::StrSplit(holder->Log(), absl::ByAnyChar(" \n"));
  ASSERT_GE(words.size(), 6U);
  const pid_t qemu = std::atoi(words[1].c_str());
  const pid_t vsock = std::atoi(words[3].c_str());
  const std::string& directory = words[5];
  ASSERT_EQ(kill(qemu, 0), 0);
  holder->Kill();
  EXPECT_TRUE(IsGone(qemu));
  EXPECT_TRUE(vsock == 0 || IsGone(vsock));
  EXPECT_TRUE(std::filesystem::exists(directory)) << "a killed process cannot remove it";
  ASSERT_TRUE(Workspace::Create().ok());
  EXPECT_FALSE(std::filesystem::exists(directory));
}

}  // namespace
}  // namespace ballast::lab
