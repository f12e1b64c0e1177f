// The real helper: the agent's own program, as a process of its own.
#include "guest-agent/act/helper_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "common/base/text.h"
#include "common/base/units.h"
#include "common/os/file_reader.h"

namespace ballast::agent {
namespace {

std::optional<Stop> Never() { return std::nullopt; }

class HelperProcessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(directory_);
    auto helper = starter_.Start();
    ASSERT_TRUE(helper.ok()) << helper.status();
    helper_ = *std::move(helper);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::string Path(const std::string& name) const { return directory_ + "/" + name; }
  Outcome Do(OrderKind kind, const std::string& path, const std::string& text = "") {
    const auto outcome = helper_->Do({kind, path, text}, Never);
    EXPECT_TRUE(outcome.ok()) << outcome.status();
    return outcome.ok() ? *outcome : Outcome{};
  }

  const std::string directory_ = StrCat("/tmp/ballast-helper-test.", ::getpid());
  HelperProcessStarter starter_{BALLAST_AGENT};
  std::unique_ptr<Helper> helper_;
};

TEST_F(HelperProcessTest, WritesReadsAndTellsTheKernelsErrors) {
  std::ofstream(Path("file")) << "";
  EXPECT_EQ(Do(OrderKind::kWrite, Path("file"), "33554432").error, 0);
  EXPECT_EQ(*FileReader().Read(Path("file")), "33554432");
  EXPECT_EQ(Do(OrderKind::kRead, Path("file")).text, "33554432");
  EXPECT_EQ(Do(OrderKind::kWrite, Path("none"), "1").error, ENOENT) << "no file is made";
  EXPECT_EQ(Do(OrderKind::kRead, Path("none")).error, ENOENT);
  EXPECT_NE(Do(OrderKind::kSwapOff, Path("file")).error, 0);
  EXPECT_NE(Do(OrderKind::kSwapOn, Path("file"), "5").error, 0);
}

TEST_F(HelperProcessTest, IsNoLongerExemptFromTheOomKiller) {
  EXPECT_EQ(Do(OrderKind::kRead, "/proc/self/oom_score_adj").text, "0\n");
}

TEST_F(HelperProcessTest, WritesTheHeaderThatSwapNeeds) {
  std::ofstream(Path("swap")) << std::string(kMiB, 'x');
  EXPECT_EQ(Do(OrderKind::kMakeSwap, Path("swap"), "4096").error, 0);
  const std::string text = *FileReader().Read(Path("swap"), 2 * kMiB);
  ASSERT_EQ(text.size(), static_cast<size_t>(kMiB));
  EXPECT_EQ(text.substr(4086, 10), "SWAPSPACE2");
  EXPECT_EQ(text.substr(1024, 8), std::string("\1\0\0\0\xff\0\0\0", 8)) << "version 1, the last of 256 pages";
  EXPECT_EQ(text[4096], 'x') << "nothing but the first page is written";
  std::ofstream(Path("small"), std::ios::trunc) << std::string(8192, 'x');
  EXPECT_EQ(Do(OrderKind::kMakeSwap, Path("small"), "4096").error, ENOSPC);
}

TEST_F(HelperProcessTest, IsKilledWhenTheWatchSaysSo) {
  ASSERT_EQ(::mkfifo(Path("pipe").c_str(), 0600), 0);  // opening it for reading blocks
  const auto begin = std::chrono::steady_clock::now();
  int looks = 0;
  const auto outcome = helper_->Do({OrderKind::kRead, Path("pipe"), ""}, [&looks] {
    return ++looks == 3 ? std::optional(Stop::kPressure) : std::nullopt;
  });
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->stop, Stop::kPressure);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
  EXPECT_TRUE(absl::IsUnavailable(helper_->Do({OrderKind::kRead, Path("pipe"), ""}, Never).status()));
  EXPECT_TRUE(starter_.Start().ok()) << "it is gone, so another may come";
}

TEST_F(HelperProcessTest, OneThatIsStillInTheKernelKeepsOthersAway) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  starter_.Abandon(child);
  EXPECT_TRUE(absl::IsResourceExhausted(starter_.Start().status()));
  ::kill(child, SIGKILL);
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (!starter_.Start().ok() && std::chrono::steady_clock::now() < until) ::usleep(1000);
  EXPECT_TRUE(starter_.Start().ok());
}

TEST_F(HelperProcessTest, AProgramThatIsNotThereIsSaid) {
  HelperProcessStarter nowhere("/nowhere/ballast-agent");
  EXPECT_TRUE(absl::IsNotFound(nowhere.Start().status())) << nowhere.Start().status();
}

}  // namespace
}  // namespace ballast::agent
