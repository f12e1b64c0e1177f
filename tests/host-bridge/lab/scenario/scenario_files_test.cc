// The files of scenarios/: that each can be read and planned, and that no damage to one goes unnoticed or
// worse.
#include "tests/host-bridge/lab/scenario/scenario_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "common/base/text.h"
#include "host-bridge/lab/scenario/scenario.h"
#include "tests/host-bridge/lab/scenario/reading.h"

namespace ballast::sim {
namespace {

// Whether each line of `faults` begins with "damaged.scenario:LINE: ".
bool EveryFaultNamesALine(std::string_view faults) {
  while (!faults.empty()) {
    const std::string_view line = faults.substr(0, faults.find('\n'));
    faults.remove_prefix(std::min(faults.size(), line.size() + 1));
    constexpr std::string_view kFile = "damaged.scenario:";
    if (!line.starts_with(kFile)) return false;
    const std::string_view number = line.substr(kFile.size(), line.find(':', kFile.size()) - kFile.size());
    if (number.empty() || number.find_first_not_of("0123456789") != std::string_view::npos) return false;
  }
  return true;
}

// Reads it; what can be read must also be possible to plan and begin.
void ExpectReadOrNamed(const std::string& text) {
  const auto scenario = ReadScenario("damaged.scenario", text);
  if (!scenario.ok()) {
    ASSERT_TRUE(EveryFaultNamesALine(MessageOf(scenario.status()))) << scenario.status() << "\n" << text;
    return;
  }
  for (const GuestPlan& guest : scenario->Plan(1, 3).guests) {
    for (int i = 0; i < 3; ++i) {
      const Segment segment = guest.workload()->Next();
      ASSERT_GT(segment.length.count, 0) << text;
      ASSERT_LE(segment.anon_bytes, guest.boot_bytes) << text;
    }
  }
}

class FilesTest : public testing::TestWithParam<ScenarioFile> {};

INSTANTIATE_TEST_SUITE_P(Scenarios, FilesTest, testing::ValuesIn(ScenarioFiles()), [](const auto& row) {
  std::string name = row.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST_P(FilesTest, IsReadAndPlannedForAnySeedAndNumberOfGuests) {
  const auto scenario = ReadScenario(GetParam().name + ".scenario", GetParam().text);
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  EXPECT_EQ(scenario->name(), GetParam().name);
  EXPECT_FALSE(scenario->title().empty());
  EXPECT_FALSE(scenario->expectations().empty()) << "a scenario that expects nothing tests nothing";
  EXPECT_EQ(GetParam().text.front(), '#') << "a file begins by saying what it is for";
  for (const uint64_t seed : {uint64_t{0}, uint64_t{1}, ~uint64_t{0}}) {
    for (const int guests : {0, 1, 7, 200}) {
      const WorldPlan plan = scenario->Plan(seed, guests);
      EXPECT_EQ(plan.guests.size(), static_cast<size_t>(guests == 0 ? scenario->guests() : guests));
      std::set<std::string> names;
      for (const GuestPlan& guest : plan.guests) {
        EXPECT_TRUE(names.insert(guest.limits.name).second) << guest.limits.name;
        EXPECT_LT(guest.starts_at, plan.length);
        EXPECT_GT(guest.workload()->Next().length.count, 0);
      }
    }
  }
}

TEST_P(FilesTest, IsCheapEnoughForAHundredSeeds) {
  const auto scenario = ReadScenario(GetParam().name + ".scenario", GetParam().text);
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  const WorldPlan plan = scenario->Plan(1);
  const double guest_hours = SecondsOf(plan.length) / 3600 * static_cast<double>(plan.guests.size());
  EXPECT_LE(guest_hours, 2000);
  size_t segments = 0;
  for (const GuestPlan& guest : plan.guests) segments += SegmentsOf(*guest.workload(), plan.length).size();
  EXPECT_LE(segments, 150'000u);
}

TEST_P(FilesTest, DamageIsNamedAndNeverCrashes) {
  const std::string& text = GetParam().text;
  for (size_t cut = 0; cut < text.size(); cut += 7) ExpectReadOrNamed(text.substr(0, cut));
  Random random(1);
  for (int i = 0; i < 600; ++i) {
    std::string damaged = text;
    for (int wounds = 1 + static_cast<int>(random.Bits() % 3); wounds > 0; --wounds) {
      const size_t at = random.Bits() % damaged.size();
      if (random.Chance(0.3)) {
        damaged.erase(at, 1 + random.Bits() % 20);
      } else if (random.Chance(0.3)) {
        damaged.insert(at, text.substr(random.Bits() % text.size(), random.Bits() % 30));
      } else {
        damaged[at] = static_cast<char>(random.Bits() & 0xff);
      }
      if (damaged.empty()) break;
    }
    ExpectReadOrNamed(damaged);
  }
}

TEST(ScenarioFilesTest, EachFieldFailureHasItsFile) {
  std::set<std::string> names;
  for (const ScenarioFile& file : ScenarioFiles()) names.insert(file.name);
  for (const std::string name : {"idle-heavy",
                                 "idle-steady",
                                 "sandbox",
                                 "build-farm-staggered",
                                 "build-farm-simultaneous",
                                 "database",
                                 "overload",
                                 "overload-tight",
                                 "serverless",
                                 "mixed",
                                 "hostile-liars",
                                 "hostile-sawtooth",
                                 "bursts",
                                 "simultaneous-peaks",
                                 "pinned-target",
                                 "starved-agent",
                                 "returns-nothing",
                                 "five-minute-oscillation",
                                 "idle-collapse",
                                 "sentinel-statistics",
                                 "silent-never-acts",
                                 "oom-deflate-between-ticks",
                                 "host-sleep-clock-jump",
                                 "host-pressure",
                                 "guest-reset-keeps-target",
                                 "hung-vmm",
                                 "zram-fills"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
}

}  // namespace
}  // namespace ballast::sim
