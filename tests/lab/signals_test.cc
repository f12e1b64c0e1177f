// What an agent tells of a real guest, held against what the guest's kernel says right before and right
// after.
#include <signal.h>

#include <algorithm>
#include <map>
#include <memory>
#include <numeric>
#include <sstream>
#include <string>
#include <utility>

#include "common/base/text.h"
#include "common/base/units.h"
#include "tests/lab/agent_watch.h"
#include "tests/lab/lab_fixture.h"

namespace ballast::lab {
namespace {

using guest::v1::Report;

constexpr int64_t kPage = 4096;

// Prints "name number", by the guest's own awk rather than by the parsers under test. A command is one line.
constexpr char kFigures[] =
    R"(awk '/^Node/ {z=$4} $1=="pages" {v["free"]=$3} $1=="min" || $1=="low" || $1=="high" {v[$1]=$2} )"
    R"($1=="managed" && $2>0 {v[$1]=$2; for (n in v) print z "." n, v[n]}' /proc/zoneinfo; )"
    R"(awk '{print "original", $1; print "compressed", $2; print "used", $3; print "limit", $4; )"
    R"(print "same", $6; print "huge", $8}' /sys/block/zram0/mm_stat; )"
    R"(awk '{print "disksize", $1}' /sys/block/zram0/disksize; )"
    R"(awk 'NR==2 {print "swap_total", $3; print "swap_used", $4}' /proc/swaps; )"
    R"(awk '/^allocstall/ {s+=$2} /^workingset_refault/ {r+=$2} END {print "stalls", s; print "refaults", r}' )"
    R"(/proc/vmstat; )"
    R"(awk '/^Inactive\(file\)/ {i=$2} /^Mapped/ {m=$2} END {print "cold", (i>m ? i-m : 0)}' /proc/meminfo; )"
    R"([ ! -d /sys/fs/cgroup/db ] || { cd /sys/fs/cgroup/db; awk '{print "db.current", $1}' memory.current; )"
    R"(awk '{print "db.swap", $1}' memory.swap.current; awk '$1=="oom_kill" {print "db.kills", $2}' memory.events; })";

using Figures = std::map<std::string, int64_t>;

// One test a kernel: the parameter counts the laboratory's.
class SignalsTest : public LabTest, public ::testing::WithParamInterface<size_t> {
 protected:
  // Boots with zram and a disk, and lets cgroups count memory.
  void BootGuest(const LabKernel& kernel) {
    // Free page reporting takes tens of MiB of free memory aside for a moment, some of the time.
    guest_ = Boot({.memory_mib = 256,
                   .free_page_reporting = false,
                   .zram_mib = 128,
                   .disk_mib = 300,
                   .kernel = kernel.kernel,
                   .initramfs = kernel.initramfs});
    ASSERT_NE(guest_, nullptr);
    ASSERT_NO_FATAL_FAILURE(Run("echo +memory > /sys/fs/cgroup/cgroup.subtree_control"));
    // All the while, so that the agent samples and knows rates.
    auto watch = Watch();
    ASSERT_TRUE(watch.ok()) << watch.status();
    steady_ = *std::move(watch);
  }

  absl::StatusOr<std::unique_ptr<AgentWatch>> Watch() {
    guest::v1::WatchRequest request;
    request.mutable_cadence()->set_quiet_ms(1'000);
    request.mutable_cadence()->set_armed_ms(200);
    return AgentWatch::Connect(guest_->PortAddress(kAgentPort), request);
  }

  void Run(const std::string& command) {
    const auto result = guest_->Exec(command);
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_EQ(result->status, 0) << command << ": " << result->output;
  }

  Figures Ask() {
    const auto result = guest_->Exec(kFigures);
    EXPECT_TRUE(result.ok() && result->status == 0) << result.status();
    Figures figures;
    std::istringstream lines(result.ok() ? result->output : "");
    for (std::string name, number; lines >> name >> number;) figures[name] = std::stoll(number);
    return figures;
  }

  // A report, with the kernel's figures from before and after it.
  void Look() {
    before_ = Ask();
    const auto watch = Watch();
    ASSERT_TRUE(watch.ok()) << watch.status();
    report_ = (*watch)->hello().report();
    after_ = Ask();
    ASSERT_EQ(before_.size(), after_.size());
  }

  // `value` (in units of `unit`) is what the kernel said, or between what it said before and after; `slack`
  // allows for what comes and goes with the asking itself.
  void ExpectKernels(const std::string& name, int64_t value, int64_t unit, int64_t slack = 0) {
    ASSERT_TRUE(before_.contains(name)) << name;
    const auto [least, most] = std::minmax({before_[name] * unit, after_[name] * unit});
    EXPECT_GE(value, least - slack) << name;
    EXPECT_LE(value, most + slack) << name;
  }

  const guest::v1::CgroupUse* Cgroup(const std::string& path) {
    for (const auto& cgroup : report_.cgroups()) {
      if (cgroup.path() == path) return &cgroup;
    }
    return nullptr;
  }

  void ExpectCapabilities();
  void ExpectZones();
  void ExpectWorkingSet();
  void ExpectZramAndSwap();
  void ExpectCgroup();
  void ExpectStallsBetween(const Report& earlier, const Figures& earlier_before,
                           const Figures& earlier_after);
  void ExpectRefaults();
  void ExpectADeviceThatComesAndGoes();

  Guest* guest_ = nullptr;
  std::unique_ptr<AgentWatch> steady_;
  Report report_;
  Figures before_;
  Figures after_;
};

// Programs that ask come and go meanwhile: BusyBox, a connection, their page tables.
constexpr int64_t kAskingBytes = 6 * kMiB;

void SignalsTest::ExpectCapabilities() {
  // Neither lab kernel has zswap; MGLRU is off in one of them.
  const auto mglru = guest_->Exec("cat /sys/kernel/mm/lru_gen/enabled");
  ASSERT_TRUE(mglru.ok()) << mglru.status();
  const std::map<std::string, bool> expected{{"zones", true},
                                             {"zram", true},
                                             {"zswap", false},
                                             {"cgroups", true},
                                             {"mglru", mglru->output != "0x0000\n"}};
  size_t seen = 0;
  for (const auto& capability : steady_->info().capabilities()) {
    const auto known = expected.find(capability.name());
    if (known == expected.end()) continue;
    ++seen;
    EXPECT_EQ(capability.available(), known->second) << capability.name() << ": " << capability.reason();
    EXPECT_EQ(capability.reason().empty(), known->second) << capability.name();
  }
  EXPECT_EQ(seen, expected.size());
}

void SignalsTest::ExpectZones() {
  int64_t headroom = 0;
  ASSERT_GT(report_.zones_size(), 0);
  for (const auto& zone : report_.zones()) {
    ExpectKernels(zone.name() + ".free", zone.free_bytes(), kPage, kAskingBytes);
    ExpectKernels(zone.name() + ".min", zone.min_bytes(), kPage);
    ExpectKernels(zone.name() + ".low", zone.low_bytes(), kPage);
    ExpectKernels(zone.name() + ".high", zone.high_bytes(), kPage);
    ExpectKernels(zone.name() + ".managed", zone.managed_bytes(), kPage);
    headroom += std::max<int64_t>(zone.free_bytes() - zone.high_bytes(), 0);
  }
  ASSERT_TRUE(report_.has_working_set());
  EXPECT_EQ(report_.working_set().kernel_headroom_bytes(), headroom) << "no zone is Movable here";
}

void SignalsTest::ExpectWorkingSet() {
  const auto& set = report_.working_set();
  EXPECT_EQ(set.method(), guest::v1::WorkingSet::METHOD_REFAULT);
  const int64_t used = report_.meminfo().total_bytes() - report_.meminfo().free_bytes();
  ExpectKernels("cold", used - set.bytes(), kKiB, kAskingBytes);
  EXPECT_GT(set.giveable_bytes(), 0);
  EXPECT_LE(set.giveable_bytes(), report_.meminfo().available_bytes());
}

void SignalsTest::ExpectZramAndSwap() {
  ASSERT_EQ(report_.zram_size(), 1);
  const auto& zram = report_.zram(0);
  EXPECT_EQ(zram.name(), "zram0");
  ExpectKernels("disksize", zram.disksize_bytes(), 1);
  ExpectKernels("original", zram.original_bytes(), 1);
  ExpectKernels("compressed", zram.compressed_bytes(), 1);
  ExpectKernels("used", zram.memory_used_bytes(), 1);
  ExpectKernels("limit", zram.memory_limit_bytes(), 1);
  ExpectKernels("same", zram.same_pages(), 1);
  ExpectKernels("huge", zram.incompressible_pages(), 1);
  EXPECT_EQ(zram.fill_permyriad(), zram.original_bytes() * 10'000 / zram.disksize_bytes());
  const auto algorithm = guest_->Exec("sed 's/.*\\[\\(.*\\)\\].*/\\1/' /sys/block/zram0/comp_algorithm");
  ASSERT_TRUE(algorithm.ok()) << algorithm.status();
  EXPECT_EQ(StrCat(zram.algorithm(), "\n"), algorithm->output);
  ASSERT_TRUE(report_.has_swap());
  ExpectKernels("swap_total", report_.swap().zram_total_bytes(), kKiB);
  ExpectKernels("swap_used", report_.swap().zram_used_bytes(), kKiB);
  EXPECT_EQ(report_.swap().other_total_bytes(), 0);
}

void SignalsTest::ExpectCgroup() {
  const auto* const db = Cgroup("/db");
  ASSERT_NE(db, nullptr) << report_.DebugString();
  ExpectKernels("db.current", db->current_bytes(), 1, kMiB);
  ExpectKernels("db.swap", db->swap_bytes(), 1, kMiB);
  ExpectKernels("db.kills", db->oom_kills(), 1);
  EXPECT_EQ(db->limit_bytes(), 64 * kMiB);
}

// What was counted between two reports lies between what the kernel counted.
void SignalsTest::ExpectStallsBetween(const Report& earlier, const Figures& earlier_before,
                                      const Figures& earlier_after) {
  // By the programs in the kernel, which see each; the kernel's own count must agree.
  const auto& stalls = report_.direct_reclaim();
  EXPECT_EQ(stalls.source(), guest::v1::SOURCE_BPF);
  EXPECT_EQ(std::accumulate(stalls.histogram().begin(), stalls.histogram().end(), uint64_t{0}),
            stalls.count());
  const auto counted =
      static_cast<int64_t>(stalls.count()) - static_cast<int64_t>(earlier.direct_reclaim().count());
  EXPECT_GE(counted, before_["stalls"] - earlier_after.at("stalls"));
  EXPECT_LE(counted, after_["stalls"] - earlier_before.at("stalls"));
  EXPECT_GT(counted, 0) << "the hog did not make anybody reclaim";
}

// A cache that goes round and round in less memory than it needs.
void SignalsTest::ExpectRefaults() {
  const Figures before = Ask();
  const int64_t begin_ns = report_.monotonic_ns();
  auto cache = guest_->ExecAsync("lab-guest cache --mib 260 --cycles 6");
  ASSERT_TRUE(cache.ok()) << cache.status();
  const auto report = steady_->Until(
      [&](const Report& r) {
        return r.monotonic_ns() > begin_ns && r.working_set().refault_bytes_per_second() > kMiB;
      },
      absl::Seconds(20));
  ASSERT_TRUE(report.has_value()) << "no refaults were reported";
  const auto& set = report->working_set();
  EXPECT_EQ(set.giveable_bytes(), 0);
  EXPECT_GE(set.scan_per_steal_percent(), 90);
  const Figures after = Ask();
  const int64_t refaulted = (after.at("refaults") - before.at("refaults")) * kPage;
  EXPECT_LE(set.refault_bytes_per_second(), refaulted) << "no second had more than all of them";
}

void SignalsTest::ExpectADeviceThatComesAndGoes() {
  ASSERT_NO_FATAL_FAILURE(
      Run("n=$(cat /sys/class/zram-control/hot_add) && echo 16M > /sys/block/zram$n/disksize && [ $n = 1 ]"));
  EXPECT_TRUE(
      steady_->Until([](const Report& report) { return report.zram_size() == 2; }, absl::Seconds(20)));
  EXPECT_EQ(steady_->LastReport().zram(1).disksize_bytes(), 16 * kMiB);
  ASSERT_NO_FATAL_FAILURE(
      Run("echo 1 > /sys/block/zram1/reset && echo 1 > /sys/class/zram-control/hot_remove"));
  EXPECT_TRUE(
      steady_->Until([](const Report& report) { return report.zram_size() == 1; }, absl::Seconds(20)));
}

TEST_P(SignalsTest, AreWhatTheKernelSays) {
  const auto kernels = LabKernels();
  ASSERT_TRUE(kernels.ok()) << kernels.status();
  ASSERT_LT(GetParam(), kernels->size());
  ASSERT_NO_FATAL_FAILURE(BootGuest((*kernels)[GetParam()]));
  ExpectCapabilities();
  ASSERT_TRUE(
      steady_->Until([](const Report& report) { return report.has_working_set(); }, absl::Seconds(10)));
  ASSERT_NO_FATAL_FAILURE(ExpectADeviceThatComesAndGoes());

  ASSERT_NO_FATAL_FAILURE(Look());
  ExpectZones();
  ExpectWorkingSet();

  // One that meets its limit, one that stays, and one that pushes it out to zram.
  const Report earlier = report_;
  const Figures earlier_before = before_;
  const Figures earlier_after = after_;
  ASSERT_NO_FATAL_FAILURE(
      Run("mkdir /sys/fs/cgroup/db; cd /sys/fs/cgroup/db; echo 64M > memory.max; echo 0 > memory.swap.max"));
  const std::string in_db = "echo $$ > /sys/fs/cgroup/db/cgroup.procs; exec ";
  EXPECT_EQ(guest_->Exec(in_db + "lab-guest hog --mib 90")->status, 128 + SIGKILL);
  ASSERT_NO_FATAL_FAILURE(Run("echo max > /sys/fs/cgroup/db/memory.swap.max"));
  auto database = guest_->ExecAsync(in_db + "lab-guest hog --mib 30 --hold-ms 120000");
  ASSERT_TRUE(database.ok()) << database.status();
  // Until it has pushed enough out, however long that takes here.
  (void)guest_->Exec(
      "lab-guest hog --mib 180 --random-percent 20 --hold-ms 60000 & p=$!; for i in $(seq 200); do "
      "[ $(cat /sys/fs/cgroup/db/memory.swap.current) -gt 8000000 ] && break; usleep 100000; done; kill -9 "
      "$p",
      absl::Seconds(60));
  const auto settled = steady_->Until(
      [](const Report& report) {
        return report.level() < guest::v1::LEVEL_PRESSED && report.cgroups_size() > 0;
      },
      absl::Seconds(20));
  ASSERT_TRUE(settled.has_value()) << steady_->LastReport().DebugString();
  ASSERT_NO_FATAL_FAILURE(Look());
  ExpectZones();
  ExpectZramAndSwap();
  EXPECT_GT(report_.zram(0).original_bytes(), 4 * kMiB);
  ExpectCgroup();
  EXPECT_GE(Cgroup("/db")->oom_kills(), 1);
  ExpectStallsBetween(earlier, earlier_before, earlier_after);
  ExpectRefaults();
}

INSTANTIATE_TEST_SUITE_P(Kernels, SignalsTest, ::testing::Values(size_t{0}, size_t{1}),
                         [](const auto& tested) { return tested.param == 0 ? "Stable" : "Backports"; });

// A balloon that is plugged, or whose driver comes after the agent. Without it 110 MiB would be little of all
// that MemTotal counts.
class LateBalloonTest : public LabTest {};

TEST_F(LateBalloonTest, IsNotUsableMemoryEither) {
  Guest* guest =
      Boot({.memory_mib = 512, .deflate_on_oom = true, .free_page_reporting = false, .agent = false});
  ASSERT_NE(guest, nullptr);
  // Removed and found again, a device knows nothing of the driver it had.
  const auto begun = guest->Exec(
      "d=$(grep -l 0x0005 /sys/bus/virtio/devices/*/device); d=$(readlink -f ${d%/device}/..); "
      "rmmod virtio_balloon && cd /sys/bus/pci/drivers/virtio-pci && echo ${d##*/} > unbind && "
      "echo ${d##*/} > bind && { setsid ballast-agent > /run/ballast-agent.log 2>&1 < /dev/null & }");
  ASSERT_TRUE(begun.ok() && begun->status == 0) << begun.status() << begun->output;
  const auto watch = AgentWatch::Connect(guest->PortAddress(kAgentPort));
  ASSERT_TRUE(watch.ok()) << watch.status();
  EXPECT_FALSE((*watch)->info().has_balloon());
  const int64_t total = (*watch)->hello().report().meminfo().total_bytes();
  ASSERT_EQ(guest->Exec("insmod /modules/virtio_balloon.ko*")->status, 0);
  ASSERT_TRUE(guest->SetBalloon(212 * kMiB).ok());
  const auto settled = (*watch)->Until(
      [](const Report& report) {
        return report.derived().balloon_bytes() >= 300 * kMiB && report.level() == guest::v1::LEVEL_QUIET;
      },
      absl::Seconds(20));
  ASSERT_TRUE(settled.has_value()) << (*watch)->LastReport().DebugString();
  EXPECT_EQ(settled->meminfo().total_bytes(), total) << "else it would prove nothing";
  EXPECT_LT(settled->meminfo().available_bytes(), total / 2);
}

}  // namespace
}  // namespace ballast::lab
