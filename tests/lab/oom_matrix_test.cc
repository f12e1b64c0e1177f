// Who was killed, by whose shortage: asked of real guests for every source the agent can have, on every
// kernel of the lab.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include <gmock/gmock.h>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "tests/lab/lab_fixture.h"
#include "tests/lab/oom_case.h"

namespace ballast::lab {
namespace {

using guest::v1::OomVerdict;
using guest::v1::Source;

constexpr int64_t kGuestMib = 192;
constexpr int64_t kZramMib = 16;
constexpr Source kSources[] = {guest::v1::SOURCE_BPF, guest::v1::SOURCE_KMSG, guest::v1::SOURCE_COUNTERS};
constexpr absl::Duration kPatience = absl::Seconds(6);

std::string Sorted(std::vector<std::string> words) {
  std::sort(words.begin(), words.end());
  return absl::StrJoin(words, ", ");
}

// The verdicts after the first `seen`, once they are about `kills`.
std::vector<OomVerdict> NewVerdicts(AgentWatch& watch, size_t seen, int64_t kills) {
  const absl::Time deadline = absl::Now() + kPatience;
  std::vector<OomVerdict> verdicts;
  int64_t told = 0;
  while (told < kills && absl::Now() < deadline) {
    verdicts = watch.Verdicts(seen + verdicts.size() + 1, deadline - absl::Now());
    verdicts.erase(verdicts.begin(),
                   verdicts.begin() + static_cast<std::ptrdiff_t>(std::min(seen, verdicts.size())));
    told = 0;
    for (const OomVerdict& verdict : verdicts) told += verdict.kills();
  }
  return verdicts;
}

// What a table says of these verdicts; what the counters told at once or in turn is the same.
std::string Said(const std::vector<OomVerdict>& verdicts) {
  std::vector<std::string> words;
  for (OomVerdict verdict : verdicts) {
    const int64_t times = verdict.source() == guest::v1::SOURCE_COUNTERS ? verdict.kills() : 1;
    verdict.set_kills(1);
    for (int64_t i = 0; i < times; ++i) words.push_back(Attribution(verdict));
  }
  return Sorted(words);
}

// `output` names the victims, the chosen one last. The counters say how many the kernel counted.
std::string Wanted(Shortage shortage, Source source, const std::string& output, int64_t counted) {
  if (source == guest::v1::SOURCE_COUNTERS) {
    return Sorted(std::vector<std::string>(static_cast<size_t>(counted), "counters unknown 1"));
  }
  std::vector<std::string> words;
  const std::vector<std::string> lines = absl::StrSplit(output, '\n');
  const size_t kills = static_cast<size_t>(KillsOf(shortage));
  for (size_t i = 0; i < std::min(kills, lines.size()); ++i) {
    words.push_back(Expectation(shortage, source, lines[i], i + 1 == kills));
  }
  return Sorted(words);
}

class OomMatrixTest : public LabTest, public ::testing::WithParamInterface<size_t> {
 protected:
  void SetUp() override {
    LabTest::SetUp();
    if (IsSkipped() || HasFailure()) return;
    const auto kernels = LabKernels();
    ASSERT_TRUE(kernels.ok()) << kernels.status();
    ASSERT_LT(GetParam(), kernels->size());
    kernel_ = (*kernels)[GetParam()];
  }

  void TearDown() override {
    std::printf("%s", TableOf(rows_).c_str());
    for (const OomRow& row : rows_) EXPECT_TRUE(row.IsRight()) << row.where << ": " << row.what;
    LabTest::TearDown();
  }

  Guest* BootThis(bool deflate_on_oom, bool zram) {
    GuestOptions options;
    options.memory_mib = kGuestMib;
    options.numa_nodes = 2;
    options.deflate_on_oom = deflate_on_oom;
    options.zram_mib = zram ? kZramMib : 0;
    options.agent = false;
    options.kernel = kernel_.kernel;
    options.initramfs = kernel_.initramfs;
    where_ = StrCat(kernel_.release, deflate_on_oom ? " deflate" : "", zram ? " zram" : "");
    return Boot(options);
  }

  std::unique_ptr<AgentWatch> WatchWith(Guest& guest, Source source) {
    const absl::Status restarted = RestartAgent(guest, ArgumentsFor(source));
    EXPECT_TRUE(restarted.ok()) << restarted;
    auto watch = AgentWatch::Connect(guest.PortAddress(kAgentPort));
    EXPECT_TRUE(watch.ok()) << watch.status();
    if (!watch.ok()) return nullptr;
    EXPECT_EQ((*watch)->info().sources(0).signal(), "oom_kill");
    EXPECT_EQ((*watch)->info().sources(0).source(), source) << (*watch)->info().sources(0).reason();
    EXPECT_EQ((*watch)->info().sources(0).reason().empty(), source == guest::v1::SOURCE_BPF);
    return *std::move(watch);
  }

  void Try(Guest& guest, AgentWatch& watch, Source source, Shortage shortage) {
    const size_t seen = watch.Verdicts(0, absl::ZeroDuration()).size();
    const int64_t before = guest.OomKills().value();
    const auto work = guest.Exec(CommandFor(shortage, kGuestMib), absl::Seconds(30));
    ASSERT_TRUE(work.ok()) << work.status();
    const int64_t counted = guest.OomKills().value() - before;
    const int64_t told = source == guest::v1::SOURCE_COUNTERS ? counted : KillsOf(shortage);
    rows_.push_back({.where = where_,
                     .what = StrCat(NameOf(source), " ", NameOf(shortage)),
                     .expected = Wanted(shortage, source, work->output, counted),
                     .attributed = Said(NewVerdicts(watch, seen, told))});
    told_ += told;
  }

  // Nothing was told twice, also not a while later by a slower source.
  void ExpectNoMore(AgentWatch& watch) {
    absl::SleepFor(absl::Milliseconds(1500));
    int64_t told = 0;
    for (const OomVerdict& verdict : watch.Verdicts(0, absl::ZeroDuration())) told += verdict.kills();
    EXPECT_EQ(told, told_);
    told_ = 0;
  }

  LabKernel kernel_;
  std::string where_;
  int64_t told_ = 0;
  std::vector<OomRow> rows_;
};

TEST_P(OomMatrixTest, EachShortageByEachSource) {
  for (const bool deflate_on_oom : {false, true}) {
    for (const bool zram : {false, true}) {
      // Half of it will do for kernels beyond the first: a guest is 15 s.
      if (GetParam() > 0 && deflate_on_oom != zram) continue;
      Guest* guest = BootThis(deflate_on_oom, zram);
      ASSERT_NE(guest, nullptr);
      for (const Source source : kSources) {
        const auto watch = WatchWith(*guest, source);
        ASSERT_NE(watch, nullptr);
        for (const Shortage shortage : {Shortage::kGlobal, Shortage::kLimit, Shortage::kNodes}) {
          Try(*guest, *watch, source, shortage);
        }
        ExpectNoMore(*watch);
      }
    }
  }
  EXPECT_EQ(rows_.size(), GetParam() == 0 ? 36U : 18U);
}

TEST_P(OomMatrixTest, ThreadsGroupsAndBalloons) {
  Guest* guest = BootThis(/*deflate_on_oom=*/false, /*zram=*/false);
  ASSERT_NE(guest, nullptr);
  for (const Source source : kSources) {
    const auto watch = WatchWith(*guest, source);
    ASSERT_NE(watch, nullptr);
    Try(*guest, *watch, source, Shortage::kThreads);
    Try(*guest, *watch, source, Shortage::kTogether);
    ASSERT_EQ(guest->SetBalloon((kGuestMib - 40) * kMiB), absl::OkStatus());
    Try(*guest, *watch, source, Shortage::kBehindBalloon);
    ASSERT_EQ(guest->SetBalloon(kGuestMib * kMiB), absl::OkStatus());
    ExpectNoMore(*watch);
  }
}

TEST_P(OomMatrixTest, AKillThatNobodyWatchedComesLateAndOnce) {
  Guest* guest = BootThis(/*deflate_on_oom=*/false, /*zram=*/false);
  ASSERT_NE(guest, nullptr);
  for (const Source source : kSources) {
    auto watch = WatchWith(*guest, source);
    ASSERT_NE(watch, nullptr);
    Try(*guest, *watch, source, Shortage::kLimit);
    const auto known = watch->Verdicts(1, kPatience);
    ASSERT_EQ(known.size(), 1U);
    guest::v1::WatchRequest request;
    request.set_known_verdict_id(known[0].id());
    request.set_known_verdict_generation(watch->info().agent_generation());
    watch.reset();

    const auto work = guest->Exec(CommandFor(Shortage::kGlobal, kGuestMib), absl::Seconds(30));
    ASSERT_TRUE(work.ok()) << work.status();
    absl::SleepFor(absl::Seconds(1));
    auto again = AgentWatch::Connect(guest->PortAddress(kAgentPort), request);
    ASSERT_TRUE(again.ok()) << again.status();
    auto late = (*again)->Verdicts(2, absl::Seconds(2));
    ASSERT_EQ(late.size(), 1U) << "one, and not the one that was known";
    EXPECT_TRUE(late[0].late());
    EXPECT_EQ(late[0].id(), known[0].id() + 1);
    late[0].set_late(false);
    rows_.push_back({.where = where_,
                     .what = StrCat(NameOf(source), " late"),
                     .expected = Wanted(Shortage::kGlobal, source, work->output, 1),
                     .attributed = Said(late)});

    // Of another generation the known id means nothing.
    request.set_known_verdict_generation(1);
    auto stranger = AgentWatch::Connect(guest->PortAddress(kAgentPort), request);
    ASSERT_TRUE(stranger.ok()) << stranger.status();
    EXPECT_EQ((*stranger)->Verdicts(2, kPatience).size(), 2U);
  }
}

TEST_P(OomMatrixTest, TheMomentBeforeAKillAndTheStallsComeFromTheKernel) {
  Guest* guest = BootThis(/*deflate_on_oom=*/false, /*zram=*/true);
  ASSERT_NE(guest, nullptr);
  const auto watch = WatchWith(*guest, guest::v1::SOURCE_BPF);
  ASSERT_NE(watch, nullptr);
  Try(*guest, *watch, guest::v1::SOURCE_BPF, Shortage::kGlobal);
  const auto begins =
      watch->Events([](const auto& event) { return event.has_oom_begins(); }, 1, absl::Seconds(1));
  const auto kills =
      watch->Events([](const auto& event) { return event.has_oom_verdict(); }, 1, absl::Seconds(1));
  ASSERT_FALSE(begins.empty());
  ASSERT_EQ(kills.size(), 1U);
  EXPECT_LE(begins[0].monotonic_ns(), kills[0].monotonic_ns());
  EXPECT_FALSE(begins[0].oom_begins().cgroup());
  auto again = AgentWatch::Connect(guest->PortAddress(kAgentPort));
  ASSERT_TRUE(again.ok()) << again.status();
  const auto stalls = (*again)->LastReport().direct_reclaim();
  EXPECT_EQ(stalls.source(), guest::v1::SOURCE_BPF);
  EXPECT_GT(stalls.count(), 0U);
  EXPECT_GE(stalls.total_us(), stalls.longest_us());
  ASSERT_EQ(stalls.histogram_size(), 20);
  uint64_t sum = 0;
  for (const uint64_t bucket : stalls.histogram()) sum += bucket;
  EXPECT_EQ(sum, stalls.count());
  EXPECT_EQ(stalls.cgroup_count(), 0U);
  Try(*guest, *watch, guest::v1::SOURCE_BPF, Shortage::kLimit);
  auto after = AgentWatch::Connect(guest->PortAddress(kAgentPort));
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_GT((*after)->LastReport().direct_reclaim().cgroup_count(), 0U);
}

TEST_P(OomMatrixTest, LoadingTheProgramsLeavesLittleBehind) {
  Guest* guest = BootThis(/*deflate_on_oom=*/false, /*zram=*/false);
  ASSERT_NE(guest, nullptr);
  // Its helper has another name, but is the same program, and busybox's pidof looks at that.
  constexpr const char* kRss =
      "awk '/VmRSS/ {print $2}' /proc/$(grep -lx ballast-agent /proc/[0-9]*/comm | cut -d/ -f3)/status";
  int64_t kib[2] = {0, 0};
  for (const Source source : {guest::v1::SOURCE_KMSG, guest::v1::SOURCE_BPF}) {
    const auto watch = WatchWith(*guest, source);
    ASSERT_NE(watch, nullptr);
    const auto rss = guest->Exec(kRss);
    ASSERT_TRUE(rss.ok()) << rss.status();
    kib[source == guest::v1::SOURCE_BPF ? 1 : 0] = std::atoll(rss->output.c_str());
  }
  std::printf("%s: agent with BPF %lld KiB, without %lld KiB\n", where_.c_str(),
              static_cast<long long>(kib[1]), static_cast<long long>(kib[0]));
  EXPECT_GT(kib[0], 0);
  EXPECT_LT(kib[1] - kib[0], 4096) << "reading the kernel's types takes 10 MB, to be given back";
}

TEST_P(OomMatrixTest, AKernelThatDoesNotDescribeItsTypesIsReadByItsLog) {
  Guest* guest = BootThis(/*deflate_on_oom=*/false, /*zram=*/false);
  ASSERT_NE(guest, nullptr);
  ASSERT_EQ(guest->Exec("mount -t tmpfs none /sys/kernel/btf")->status, 0);
  ASSERT_EQ(RestartAgent(*guest, ""), absl::OkStatus());
  const auto watch = AgentWatch::Connect(guest->PortAddress(kAgentPort));
  ASSERT_TRUE(watch.ok()) << watch.status();
  for (const auto& source : (*watch)->info().sources()) {
    EXPECT_THAT(source.reason(), ::testing::HasSubstr("the kernel does not describe its types"))
        << source.signal();
    EXPECT_NE(source.source(), guest::v1::SOURCE_BPF);
  }
  Try(*guest, **watch, guest::v1::SOURCE_KMSG, Shortage::kLimit);
}

INSTANTIATE_TEST_SUITE_P(Kernels, OomMatrixTest, ::testing::Values(0U, 1U),
                         [](const auto& kernel) { return kernel.param == 0 ? "Stable" : "Backports"; });

}  // namespace
}  // namespace ballast::lab
