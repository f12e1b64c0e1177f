#include "guest-agent/sensors/signals.h"

#include <gmock/gmock.h>

#include "common/base/units.h"
#include "tests/common/kernel/fixture.h"
#include "tests/guest-agent/sensors/file_tree.h"

namespace ballast::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kPage = 4 * kKiB;
constexpr MonotonicTime kStart{1'000'000'000'000};

// A guest with the files of kernel 6.12.
class SignalsTest : public ::testing::Test {
 protected:
  SignalsTest() {
    tree_.Put("/proc/zoneinfo", kernel::Fixture("zoneinfo-6.12"));
    tree_.Put("/proc/meminfo", kernel::Fixture("meminfo-6.12"));
    tree_.Put("/proc/vmstat", kernel::Fixture("vmstat-6.12"));
    tree_.Put("/proc/swaps", kernel::Fixture("swaps-6.12"));
    tree_.Put("/sys/fs/cgroup/cgroup.controllers", "memory\n");
    tree_.Put("/sys/fs/cgroup/cgroup.subtree_control", "memory\n");
    tree_.Put("/sys/kernel/debug/lru_gen", kernel::Fixture("lru_gen-6.12"));
    tree_.Put("/sys/kernel/mm/lru_gen/enabled", "0x0007\n");
    moment_.at = kStart;
    moment_.meminfo = *kernel::ParseMeminfo(kernel::Fixture("meminfo-6.12"));
    moment_.vmstat = *kernel::ParseVmstat(kernel::Fixture("vmstat-6.12"));
  }

  void AddZram(int number) const {
    tree_.Put(StrCat("/sys/block/zram", number, "/disksize"), "419430400\n");
    tree_.Put(StrCat("/sys/block/zram", number, "/mm_stat"), kernel::Fixture("mm_stat-6.12"));
  }
  void AddCgroup(std::string_view name, int64_t bytes) const {
    tree_.Put(StrCat("/sys/fs/cgroup/", name, "/memory.current"), StrCat(bytes, "\n"));
  }
  void Read(SignalReader& reader, Nanos later) {
    moment_.at = moment_.at + later;
    reader.Read(moment_, signals_);
  }

  FileTree tree_;
  MachineFacts machine_;
  SignalReader::Moment moment_;
  Signals signals_;
};

TEST_F(SignalsTest, ReadsAllThereIs) {
  AddZram(0);
  AddCgroup("db", 5 * kMiB);
  SignalReader reader(tree_.Files(), machine_);
  Read(reader, Nanos{0});
  ASSERT_TRUE(signals_.zones.has_value());
  EXPECT_EQ((*signals_.zones)[1].free_bytes, 87814 * kPage);
  EXPECT_EQ(signals_.swap->zram_used_bytes, 59392 * kKiB);
  ASSERT_EQ(signals_.zram.size(), 1u);
  ASSERT_EQ(signals_.cgroups.size(), 1u);
  EXPECT_EQ(signals_.cgroups[0].current_bytes, 5 * kMiB);
  EXPECT_EQ(signals_.reclaim_stalls, 0);
  EXPECT_FALSE(signals_.working_set.has_value());
  Read(reader, Seconds(1));
  ASSERT_TRUE(signals_.working_set.has_value());
  EXPECT_EQ(signals_.working_set->kernel_headroom_bytes, (3808 - 36 + 87814 - 907) * kPage);
}

TEST_F(SignalsTest, CountsStallsFromTheAgentsStart) {
  SignalReader reader(tree_.Files(), machine_);
  *moment_.vmstat->alloc_stalls += 25;
  Read(reader, Nanos{0});
  EXPECT_EQ(signals_.reclaim_stalls, 25);
  moment_.vmstat->alloc_stalls.reset();
  Read(reader, Seconds(1));
  EXPECT_EQ(signals_.reclaim_stalls, std::nullopt);
}

TEST_F(SignalsTest, EachHasItsOwnPace) {
  AddZram(0);
  AddCgroup("db", 5);
  SignalReader reader(tree_.Files(), machine_);
  Read(reader, Nanos{0});
  tree_.Put("/proc/zoneinfo", kernel::Fixture("zoneinfo-6.1"));
  tree_.Put("/sys/block/zram0/mm_stat", "1 2 3 4 5 6 7 8 9\n");
  AddCgroup("db", 6);
  Read(reader, Milliseconds(19));
  EXPECT_EQ((*signals_.zones)[1].free_bytes, 87814 * kPage);
  Read(reader, Milliseconds(1));
  EXPECT_EQ((*signals_.zones)[1].free_bytes, 92234 * kPage);
  EXPECT_NE(signals_.zram[0].memory.original_bytes, 1);
  Read(reader, Milliseconds(80));
  EXPECT_EQ(signals_.zram[0].memory.original_bytes, 1);
  EXPECT_EQ(signals_.cgroups[0].current_bytes, 5);
  Read(reader, Milliseconds(900));
  EXPECT_EQ(signals_.cgroups[0].current_bytes, 6);
  AddCgroup("db", 7);
  moment_.fresh = true;
  Read(reader, Milliseconds(1));
  EXPECT_EQ(signals_.cgroups[0].current_bytes, 7);
}

TEST_F(SignalsTest, ALargeZoneinfoIsReadLessOften) {
  std::string text = kernel::Fixture("zoneinfo-6.12");
  while (text.size() < 70'000) text += "    cpu: 1\n              count:    0\n              high:     0\n";
  tree_.Put("/proc/zoneinfo", text);
  SignalReader reader(tree_.Files(), machine_);
  Read(reader, Nanos{0});
  EXPECT_TRUE(signals_.zones.has_value());
  tree_.Put("/proc/zoneinfo", kernel::Fixture("zoneinfo-6.1"));
  Read(reader, Milliseconds(59));
  EXPECT_EQ((*signals_.zones)[1].free_bytes, 87814 * kPage);
  Read(reader, Milliseconds(1));
  EXPECT_EQ((*signals_.zones)[1].free_bytes, 92234 * kPage);
}

TEST_F(SignalsTest, SearchesOnlyWhileItIsCalm) {
  SignalReader reader(tree_.Files(), machine_);
  AddZram(0);
  AddCgroup("db", 5);
  for (int second = 0; second < 30; ++second) Read(reader, Seconds(1));
  EXPECT_TRUE(signals_.zram.empty());
  EXPECT_TRUE(signals_.cgroups.empty());
  moment_.calm = true;
  for (int look = 0; look < 4; ++look) Read(reader, Seconds(1));
  EXPECT_EQ(signals_.zram.size(), 1u);
  EXPECT_EQ(signals_.cgroups.size(), 1u);
}

TEST_F(SignalsTest, RareLooksStillDoEverySearch) {
  SignalReader reader(tree_.Files(), machine_);
  AddZram(0);
  AddCgroup("db", 5);
  moment_.calm = true;
  for (int look = 0; look < 3; ++look) Read(reader, Seconds(10));
  EXPECT_EQ(signals_.zram.size(), 1u);
  EXPECT_EQ(signals_.cgroups.size(), 1u);
}

// Its driver came after the agent, or it was plugged: what goes into it tells.
TEST_F(SignalsTest, FindsABalloonThatCameLate) {
  SignalReader reader(tree_.Files(), machine_);
  moment_.calm = true;
  const auto put = [&](std::string_view features) {
    tree_.Put("/sys/bus/virtio/devices/virtio1/device", "0x0005\n");
    tree_.Put("/sys/bus/virtio/devices/virtio1/features", features);
  };
  put("0000000000000000\n");
  moment_.vmstat->balloon_inflate_pages = 256;
  moment_.vmstat->balloon_deflate_pages = 0;
  Read(reader, Seconds(1));
  EXPECT_FALSE(reader.TotalIncludesBalloon()) << "that has no driver";
  put("0110000000000000\n");
  Read(reader, Seconds(10));
  EXPECT_FALSE(reader.TotalIncludesBalloon()) << "nobody searches while nothing goes into one";
  *moment_.vmstat->balloon_inflate_pages += 256;
  moment_.calm = false;
  Read(reader, Seconds(1));
  EXPECT_FALSE(reader.TotalIncludesBalloon());
  moment_.calm = true;
  Read(reader, Seconds(1));
  EXPECT_TRUE(reader.TotalIncludesBalloon());
  EXPECT_EQ(reader.CountedBalloon(moment_.vmstat), 2 * kMiB);
}

TEST_F(SignalsTest, GoesByTheGenerationsWhereTheyTell) {
  SignalReader reader(tree_.Files(), machine_);
  moment_.calm = true;
  for (int look = 0; look < 5; ++look) Read(reader, Seconds(1));
  EXPECT_EQ(signals_.working_set->method, WorkingSetMethod::kRefault) << "nothing has aged";
  tree_.Put("/sys/kernel/debug/lru_gen",
            "memcg 1 /\n node 0\n 3 400000 0 2560\n 4 300000 10 20\n 5 150000 0 0\n 6 20000 5 5\n");
  for (int look = 0; look < 12; ++look) Read(reader, Seconds(1));
  EXPECT_EQ(signals_.working_set->method, WorkingSetMethod::kMglru);
}

TEST_F(SignalsTest, TheBalloonCountsOnlyWhereMemTotalKeepsIt) {
  moment_.vmstat->balloon_inflate_pages = 1'000;
  moment_.vmstat->balloon_deflate_pages = 200;
  EXPECT_EQ(SignalReader(tree_.Files(), machine_).CountedBalloon(moment_.vmstat), 0);
  machine_.balloon.emplace().deflate_on_oom = true;
  EXPECT_EQ(SignalReader(tree_.Files(), machine_).CountedBalloon(moment_.vmstat), 800 * kPage);
  moment_.vmstat->balloon_deflate_pages = 1'100;
  EXPECT_EQ(SignalReader(tree_.Files(), machine_).CountedBalloon(moment_.vmstat), 0);
}

TEST_F(SignalsTest, AReadThatMakesNoSenseIsAbsentAndTheNextOneCounts) {
  SignalReader reader(tree_.Files(), machine_);
  Read(reader, Nanos{0});
  tree_.Put("/proc/zoneinfo", "Node 0, zone Normal\n  pages free x\n");
  tree_.Put("/proc/swaps", "garbage\n");
  Read(reader, Seconds(2));
  EXPECT_FALSE(signals_.zones.has_value());
  EXPECT_FALSE(signals_.swap.has_value());
  EXPECT_FALSE(signals_.working_set.has_value());
  tree_.Put("/proc/zoneinfo", kernel::Fixture("zoneinfo-6.12"));
  tree_.Put("/proc/swaps", kernel::Fixture("swaps-6.12"));
  Read(reader, Seconds(2));
  EXPECT_TRUE(signals_.zones && signals_.swap && signals_.working_set);
}

TEST_F(SignalsTest, SayWhatIsMissingAndWhy) {
  AddZram(0);
  tree_.Put("/proc/meminfo", kernel::Fixture("meminfo-6.18"));
  const SignalReader all(tree_.Files(), machine_);
  for (const Capability& capability : all.Capabilities()) {
    EXPECT_THAT(capability.reason, IsEmpty()) << capability.name;
  }
  tree_.Put("/sys/kernel/mm/lru_gen/enabled", "0x0000\n");
  EXPECT_THAT(SignalReader(tree_.Files(), machine_).Capabilities()[4].reason, HasSubstr("switched off"));
  for (const char* path : {"/proc", "/sys"}) tree_.Remove(path);
  SignalReader none(tree_.Files(), machine_);
  const std::pair<const char*, const char*> expected[] = {{"zones", "/proc/zoneinfo"},
                                                          {"zram", "no zram device"},
                                                          {"zswap", "no line Zswap"},
                                                          {"cgroups", "cgroup.controllers"},
                                                          {"mglru", "/sys/kernel/debug/lru_gen"}};
  for (size_t i = 0; i < std::size(expected); ++i) {
    EXPECT_EQ(none.Capabilities()[i].name, expected[i].first);
    EXPECT_THAT(none.Capabilities()[i].reason, HasSubstr(expected[i].second));
  }
  moment_.calm = true;
  for (int look = 0; look < 10; ++look) Read(none, Seconds(10));
  EXPECT_EQ(signals_, Signals{});
}

}  // namespace
}  // namespace ballast::agent
