#include "tests/lab/workspace.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include <gtest/gtest.h>

namespace ballast::lab {
namespace {

namespace fs = std::filesystem;

// Workspaces of this test live in a directory of their own, so that it meets only its own leftovers.
class WorkspaceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char directory[] = "/tmp/ballast-wt-XXXXXX";
    ASSERT_NE(mkdtemp(directory), nullptr);
    parent_ = directory;
    if (const char* before = std::getenv("TMPDIR")) before_ = before;
    setenv("TMPDIR", directory, 1);
    unsetenv("BALLAST_LAB_KEEP");
  }
  void TearDown() override {
    fs::remove_all(parent_);
    if (before_) setenv("TMPDIR", before_->c_str(), 1);
    if (!before_) unsetenv("TMPDIR");
  }

  std::string parent_;
  std::optional<std::string> before_;
};

TEST_F(WorkspaceTest, IsRemovedWithItsContents) {
  std::string path;
  {
    const absl::StatusOr<Workspace> workspace = Workspace::Create();
    ASSERT_TRUE(workspace.ok()) << workspace.status();
    path = workspace->path();
    ASSERT_TRUE(workspace->MakeDirectory("inner").ok());
    std::ofstream(workspace->Path("inner/file")) << "x";
    EXPECT_TRUE(fs::exists(path + "/inner/file"));
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(WorkspaceTest, RemovesWhatADeadProcessLeft) {
  const std::string stale = parent_ + "/ballast-lab-stale1";
  fs::create_directory(stale);
  std::ofstream(stale + "/lock").close();  // nobody holds it: its owner is dead
  const absl::StatusOr<Workspace> workspace = Workspace::Create();
  ASSERT_TRUE(workspace.ok());
  EXPECT_FALSE(fs::exists(stale));
}

TEST_F(WorkspaceTest, LeavesTheLivingAlone) {
  const absl::StatusOr<Workspace> first = Workspace::Create();
  const absl::StatusOr<Workspace> second = Workspace::Create();
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_TRUE(fs::exists(first->path()));
}

TEST_F(WorkspaceTest, AvoidsParentsTooLongForSockets) {
  setenv("TMPDIR", (parent_ + "/" + std::string(80, 'x')).c_str(), 1);
  const absl::StatusOr<Workspace> workspace = Workspace::Create();
  ASSERT_TRUE(workspace.ok());
  EXPECT_EQ(workspace->path().rfind("/tmp/ballast-lab-", 0), 0U);
}

}  // namespace
}  // namespace ballast::lab
