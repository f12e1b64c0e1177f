// What each kind of load promises in its header.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "host-bridge/lab/scenario/workloads/build_farm.h"
#include "host-bridge/lab/scenario/workloads/burst.h"
#include "host-bridge/lab/scenario/workloads/database.h"
#include "host-bridge/lab/scenario/workloads/overload.h"
#include "host-bridge/lab/scenario/workloads/sandbox.h"
#include "host-bridge/lab/scenario/workloads/sawtooth.h"
#include "host-bridge/lab/scenario/workloads/serverless.h"
#include "host-bridge/lab/scenario/workloads/steady.h"
#include "tests/host-bridge/lab/scenario/reading.h"

namespace ballast::sim {
namespace {

constexpr Nanos kHour = Seconds(3600);
constexpr Nanos kDay = kHour * 24;

class EveryKindTest : public testing::TestWithParam<size_t> {
 protected:
  [[nodiscard]] static const WorkloadKind& kind() { return WorkloadKinds()[GetParam()]; }
  // With all defaults.
  [[nodiscard]] static std::unique_ptr<Workload> Make(int64_t boot_bytes, uint64_t seed) {
    const auto no_faults = [](const config::IniLine&, const std::string& what) { ADD_FAILURE() << what; };
    return kind().read({}, no_faults)(boot_bytes, Random(seed));
  }
};

INSTANTIATE_TEST_SUITE_P(Workloads, EveryKindTest, testing::Range<size_t>(0, 10), [](const auto& row) {
  std::string name(WorkloadKinds()[row.param].name);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST_P(EveryKindTest, TellsTheSameTwiceAndFitsItsGuest) {
  for (const int64_t boot : {256 * kMiB, 2 * kGiB, 64 * kGiB}) {
    const auto first = Make(boot, 11);
    const auto second = Make(boot, 11);
    for (int i = 0; i < 2000; ++i) {
      const Segment segment = first->Next();
      ASSERT_EQ(segment, second->Next());
      ASSERT_GT(segment.length.count, 0);
      ASSERT_GE(segment.anon_bytes, 0);
      ASSERT_LE(segment.anon_bytes, boot);
      ASSERT_GE(segment.anon_bytes_per_second, 0);
      ASSERT_GE(segment.hot_cache_bytes, 0);
      ASSERT_GE(segment.hot_reads_bytes_per_second, 0);
      ASSERT_GE(segment.cold_reads_bytes_per_second, 0);
    }
  }
}

TEST_P(EveryKindTest, ItsDefaultsAreReadBackAsTheyAreWritten) {
  std::vector<config::IniLine> lines;
  std::set<std::string_view> names;
  for (const auto& [name, text] : kind().parameters) {
    lines.push_back({{"defaults", 1}, std::string(name), text});
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  const auto no_faults = [](const config::IniLine& line, const std::string& what) {
    ADD_FAILURE() << line.key << " = " << line.value << ": " << what;
  };
  const auto written = kind().read(lines, no_faults)(4 * kGiB, Random(3));
  const auto plain = Make(4 * kGiB, 3);
  for (int i = 0; i < 200; ++i) ASSERT_EQ(written->Next(), plain->Next());
}

TEST(SteadyTest, NeverChanges) {
  const auto workload = MakeSteady({}, kGiB, Random(1));
  const Segment first = workload->Next();
  EXPECT_EQ(first.anon_bytes, kGiB * 3 / 10);
  EXPECT_EQ(workload->Next(), first);
}

TEST(SandboxTest, IsIdleMostOfTheTimeAndFreesEachSpikeAtOnce) {
  const Sandbox parameters;
  const auto workload = MakeSandbox(parameters, 4 * kGiB, Random(1));
  double busy = 0;
  double all = 0;
  int64_t before = parameters.base;
  int calls = 0;
  for (const Segment& segment : SegmentsOf(*workload, kDay * 10)) {
    all += SecondsOf(segment.length);
    if (segment.anon_bytes > parameters.base) {
      EXPECT_EQ(before, parameters.base) << "two calls without a gap";
      EXPECT_GE(segment.anon_bytes, std::min(parameters.base + parameters.spike.least, 4 * kGiB * 85 / 100));
      busy += SecondsOf(segment.length);
      ++calls;
    }
    before = segment.anon_bytes;
  }
  EXPECT_LT(busy / all, 0.2);
  EXPECT_GT(calls, 2000);  // a turn each half hour and some minutes, of 7.3 calls
  EXPECT_LT(calls, 4000);
}

TEST(BuildFarmTest, FillsItsGuestForMostOfAnHourAndThenCleansUp) {
  constexpr int64_t kBoot = 16 * kGiB;
  const BuildFarm parameters;
  const auto workload = MakeBuildFarm(parameters, kBoot, Random(4));
  double build = 0;
  int64_t peak = 0;
  int cleans = 0;
  for (const Segment& segment : SegmentsOf(*workload, kDay)) {
    if (!segment.drops_cache) {
      if (segment.length > Seconds(60)) continue;
      build += SecondsOf(segment.length);
      peak = std::max(peak, segment.anon_bytes + segment.hot_cache_bytes);
      continue;
    }
    EXPECT_GE(build, 40 * 60) << "build " << cleans;
    EXPECT_LE(build, 60 * 60 + 1) << "build " << cleans;
    EXPECT_GE(peak, kBoot * 75 / 100) << "build " << cleans;
    EXPECT_LE(peak, kBoot * 85 / 100) << "build " << cleans;
    EXPECT_EQ(segment.anon_bytes, kBoot * 4 / 100);
    build = 0;
    peak = 0;
    ++cleans;
  }
  EXPECT_GE(cleans, 8);  // a cycle is at most three hours
  EXPECT_LE(cleans, 14);
}

TEST(DatabaseTest, RatchetsUpAndItsQueriesAreShort) {
  constexpr int64_t kBoot = 8 * kGiB;
  const auto workload = MakeDatabase({}, kBoot, Random(2));
  int64_t level = 0;
  int queries = 0;
  for (const Segment& segment : SegmentsOf(*workload, kDay)) {
    if (segment.length >= Seconds(1) && segment.length <= Seconds(2) && segment.anon_bytes > level) {
      ++queries;
      continue;
    }
    EXPECT_GE(segment.anon_bytes, level);
    level = std::max(level, segment.anon_bytes);
  }
  EXPECT_EQ(level, kBoot * 75 / 100);
  EXPECT_GT(queries, 1500);
}

TEST(OverloadTest, EightyEightOfAHundredPassWithinTwoMinutes) {
  const Overload parameters;
  const auto workload = MakeOverload(parameters, 4 * kGiB, Random(9));
  int all = 0;
  int shorter = 0;
  Nanos longest;
  for (const Segment& segment : SegmentsOf(*workload, kDay * 300)) {
    if (segment.anon_bytes <= 4 * kGiB * 40 / 100) continue;
    ++all;
    shorter += segment.length < Seconds(120) ? 1 : 0;
    longest = std::max(longest, segment.length);
  }
  EXPECT_NEAR(static_cast<double>(shorter) / all, 0.88, 0.015);
  EXPECT_GT(longest, Seconds(1800)) << "the tail is heavy";
}

TEST(ServerlessTest, InstancesAreAsLargeAsPublished) {
  std::vector<double> mib;
  Random random(6);
  const Serverless p;
  for (int i = 0; i < 50'000; ++i) {
    mib.push_back(random.Burr(p.burr_c, p.burr_k, static_cast<double>(p.scale)) / static_cast<double>(kMiB));
  }
  EXPECT_NEAR(QuantileOf(mib, 0.5), 170, 5);
  EXPECT_NEAR(QuantileOf(mib, 0.9), 400, 15);
}

TEST(ServerlessTest, InstancesComeAndGo) {
  constexpr int64_t kBoot = 8 * kGiB;
  const Serverless p;
  const auto workload = MakeServerless(p, kBoot, Random(6));
  double at_base = 0;
  double all = 0;
  int64_t most = 0;
  for (const Segment& segment : SegmentsOf(*workload, kDay * 20)) {
    all += SecondsOf(segment.length);
    if (segment.anon_bytes == p.base) at_base += SecondsOf(segment.length);
    most = std::max(most, segment.anon_bytes);
  }
  EXPECT_GT(at_base / all, 0.3);  // quiet times, less the instances that stay a while
  EXPECT_LT(at_base / all, 0.8);
  EXPECT_GT(most, kGiB);
  EXPECT_LE(most, kBoot * 80 / 100);
}

TEST(BurstTest, HoldsWhatItTookForAsLongAsSaid) {
  const Burst p;
  const auto workload = MakeBurst(p, 4 * kGiB, Random(8));
  const int64_t used = ShareOf(4 * kGiB, p.used);
  for (int i = 0; i < 1000; ++i) {
    const Segment wait = workload->Next();
    const Segment burst = workload->Next();
    ASSERT_EQ(wait.anon_bytes, used);
    ASSERT_GE(wait.length, p.wait.least);
    ASSERT_LE(wait.length, p.wait.most);
    ASSERT_GE(burst.anon_bytes, used + p.size.least);
    ASSERT_LE(burst.anon_bytes, used + p.size.most);
    ASSERT_GE(burst.anon_bytes_per_second, p.rate.least);
    ASSERT_LE(burst.anon_bytes_per_second, p.rate.most);
    const double climb =
        static_cast<double>(burst.anon_bytes - used) / static_cast<double>(burst.anon_bytes_per_second);
    ASSERT_GE(SecondsOf(burst.length), climb + 0.99);
    ASSERT_LE(SecondsOf(burst.length), climb + 10.01);
  }
}

TEST(SawtoothTest, KeepsItsPeriod) {
  const auto workload = MakeSawtooth({}, kGiB, Random(1));
  const Segment down = workload->Next();
  const Segment up = workload->Next();
  EXPECT_EQ(down.length + up.length, Seconds(10));
  EXPECT_EQ(down.anon_bytes, kGiB / 5);
  EXPECT_EQ(up.anon_bytes, kGiB * 7 / 10);
  EXPECT_EQ(workload->Next(), down);
}

TEST(PeaksTest, EveryGuestPeaksAtOnce) {
  const Peaks p;
  for (const uint64_t seed : {1u, 2u, 3u}) {
    const auto workload = MakePeaks(p, 2 * kGiB, Random(seed));
    Nanos at;
    for (int peak = 1; peak < 50; ++peak) {
      at = at + workload->Next().length;
      const Nanos due = p.every * peak - p.lasts;
      EXPECT_GE(at, due);
      EXPECT_LE(at, due + p.late.most);
      const Segment up = workload->Next();
      EXPECT_GE(up.anon_bytes, 2 * kGiB * 50 / 100);
      EXPECT_LE(up.anon_bytes, 2 * kGiB * 70 / 100);
      at = at + up.length;
      EXPECT_EQ(at, p.every * peak);
    }
  }
}

}  // namespace
}  // namespace ballast::sim
