#include "tests/lab/child_process.h"

#include <signal.h>
#include <unistd.h>

#include <thread>

#include <gmock/gmock.h>

#include "tests/lab/workspace.h"

namespace ballast::lab {
namespace {

absl::StatusOr<ChildProcess> StartShell(const std::string& script, const std::string& log_path = "") {
  return ChildProcess::Start(
      {.argv = {"sh", "-c", script}, .log_path = log_path, .environment = {{"COLOUR", "blue"}}});
}

TEST(ChildProcess, ReportsExitStatusAndOutput) {
  const absl::StatusOr<Workspace> workspace = Workspace::Create();
  ASSERT_TRUE(workspace.ok());
  absl::StatusOr<ChildProcess> child = StartShell("echo $COLOUR; exit 7", workspace->Path("log"));
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_EQ(child->Wait(absl::Seconds(10)).value(), 7);
  EXPECT_EQ(child->Log(), "blue\n");
  EXPECT_FALSE(child->IsRunning());
}

TEST(ChildProcess, SaysWhatKeptItFromStarting) {
  const auto child = ChildProcess::Start({.argv = {"/no/such/program"}});
  EXPECT_EQ(child.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(child.status().message()), testing::HasSubstr("/no/such/program"));
}

TEST(ChildProcess, WaitEndsAtItsDeadline) {
  absl::StatusOr<ChildProcess> child = StartShell("exec sleep 100");
  ASSERT_TRUE(child.ok());
  EXPECT_EQ(child->Wait(absl::Milliseconds(1)).status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(child->IsRunning());
  child->Signal(SIGTERM);
  EXPECT_EQ(child->Wait(absl::Seconds(10)).value(), 128 + SIGTERM);
}

TEST(ChildProcess, IsGoneWithItsObject) {
  pid_t pid = 0;
  {
    absl::StatusOr<ChildProcess> child = StartShell("exec sleep 100");
    ASSERT_TRUE(child.ok());
    pid = child->pid();
  }
  EXPECT_EQ(kill(pid, 0), -1);
}

// The kernel's death signal belongs to the forking thread; a child must survive the thread that asked for it.
TEST(ChildProcess, OutlivesTheThreadThatStartedIt) {
  absl::StatusOr<ChildProcess> child = absl::UnknownError("not started");
  std::thread([&child] { child = StartShell("exec sleep 100"); }).join();
  ASSERT_TRUE(child.ok());
  EXPECT_EQ(child->Wait(absl::Milliseconds(50)).status().code(), absl::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace ballast::lab
