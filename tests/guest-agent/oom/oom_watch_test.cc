#include "guest-agent/oom/oom_watch.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "common/base/text.h"
#include "common/base/units.h"
#include "tests/fakes/guest_tree.h"
#include "tests/guest-agent/oom/log_pipe.h"

namespace ballast::agent {
namespace {

using ::testing::HasSubstr;

class Listener final : public OomListener {
 public:
  void OnVerdict(const OomVerdict& verdict) override {
    const std::lock_guard lock(mutex_);
    verdicts_.push_back(verdict);
    changed_.notify_all();
  }
  void OnOomBegins(const OomBegins& /*begins*/) override {}
  void OnReclaimStall(const ReclaimStall& /*stall*/) override {}

  // As soon as there are so many, at most 10 s.
  std::vector<OomVerdict> Await(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(10), [&] { return verdicts_.size() >= count; });
    return verdicts_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<OomVerdict> verdicts_;
};

class OomWatchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = StrCat("/tmp/ballast-oom-test.", ::getpid());
    tree_ = std::make_unique<fakes::GuestTree>(root_, kGiB, 4 * kMiB);
    tree_->SetOomKills(5);
  }
  void TearDown() override {
    watch_.reset();
    tree_.reset();
    std::filesystem::remove_all(root_);
  }

  void OpenWithLog() {
    auto watch = OomWatch::OpenWithLog(FileReader(root_), clock_, {}, KmsgReader(log_.TakeReader()));
    ASSERT_TRUE(watch.ok()) << watch.status();
    watch_ = *std::move(watch);
  }
  void OpenWithout() {
    auto watch = OomWatch::Open(FileReader(root_), clock_, {.kmsg = false});
    ASSERT_TRUE(watch.ok()) << watch.status();
    watch_ = *std::move(watch);
  }
  void LogKill(int pid) {
    log_.Write("4,1,1,-;x invoked oom-killer: gfp_mask=0x140dca(GFP), order=0, oom_score_adj=0\n");
    log_.Write(StrCat("6,2,1,-;oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,",
                      "global_oom,task_memcg=/,task=x,pid=", pid, ",uid=0\n"));
    log_.Write(StrCat("3,3,1,-;Out of memory: Killed process ", pid,
                      " (x) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:4kB "
                      "oom_score_adj:0\n"));
  }

  std::string root_;
  std::unique_ptr<fakes::GuestTree> tree_;
  SystemClock clock_;
  LogPipe log_;
  Listener listener_;
  std::unique_ptr<OomWatch> watch_;
};

TEST_F(OomWatchTest, TellsWhatTheLogSays) {
  OpenWithLog();
  watch_->Start(listener_);
  log_.Write("not a record");
  log_.Write("6,9,9,-;something else\n");
  tree_->SetOomKills(6);
  LogKill(77);
  const auto verdicts = listener_.Await(1);
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].source, OomSource::kKmsg);
  EXPECT_EQ(verdicts[0].kill.pid, 77);
  EXPECT_EQ(verdicts[0].scope, OomScope::kGuest);
  EXPECT_EQ(verdicts[0].available_bytes, 4 * kMiB);
}

TEST_F(OomWatchTest, WhatHappenedBeforeItStartedIsNotLost) {
  OpenWithLog();
  LogKill(77);
  LogKill(78);
  tree_->SetOomKills(7);
  watch_->Start(listener_);
  EXPECT_EQ(listener_.Await(2).size(), 2u);
}

TEST_F(OomWatchTest, WithTheCounterAloneItTellsHowMany) {
  OpenWithout();
  tree_->SetOomKills(8);
  watch_->Start(listener_);
  const auto verdicts = listener_.Await(1);
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].source, OomSource::kCounters);
  EXPECT_EQ(verdicts[0].kills, 3);
}

TEST_F(OomWatchTest, ALogThatBreaksLeavesTheCounter) {
  OpenWithLog();
  watch_->Start(listener_);
  log_.Close();
  tree_->SetOomKills(6);
  const auto verdicts = listener_.Await(1);
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].source, OomSource::kCounters);
}

TEST_F(OomWatchTest, SaysWhatItHasAndWhyNotBetter) {
  OpenWithLog();
  ASSERT_EQ(watch_->Sources().size(), 3u);
  EXPECT_EQ(watch_->Sources()[0].signal, "oom_kill");
  EXPECT_EQ(watch_->Sources()[0].source, OomSource::kKmsg);
  EXPECT_THAT(watch_->Sources()[0].reason, HasSubstr("BPF: another root"));
  EXPECT_EQ(watch_->Sources()[1].signal, "oom_begin");
  EXPECT_EQ(watch_->Sources()[1].source, OomSource::kNone);
  EXPECT_EQ(watch_->Sources()[2].signal, "direct_reclaim");
  EXPECT_FALSE(watch_->Stalls().has_value());
  OpenWithout();
  EXPECT_EQ(watch_->Sources()[0].source, OomSource::kCounters);
  EXPECT_THAT(watch_->Sources()[0].reason, HasSubstr("log: turned off by the configuration"));
  std::filesystem::remove(root_ + "/proc/vmstat");
  OpenWithout();
  EXPECT_EQ(watch_->Sources()[0].source, OomSource::kNone);
  EXPECT_EQ(watch_->Sources()[2].source, OomSource::kNone);
}

}  // namespace
}  // namespace ballast::agent
