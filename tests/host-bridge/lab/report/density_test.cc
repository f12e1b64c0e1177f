#include "host-bridge/lab/report/density.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/host-bridge/lab/report/fake_worlds.h"

namespace ballast::sim {
namespace {

// Service is kept up to a number of guests that the controller's name tells: "n37".
RunResult KeptUpToName(const WorldPlan& plan, const ControllerKind& kind, const RunOptions& options) {
  RunResult result = CalmRun(plan, options);
  const int most = kind.name.starts_with("n") ? std::stoi(kind.name.substr(1)) : 1 << 20;
  if (static_cast<int>(plan.guests.size()) > most) result.measures.guest_oom_kills = 1;
  return result;
}

Effort Seeds(int seeds) {
  Effort effort;
  effort.seeds = seeds;
  effort.threads = 2;
  return effort;
}

std::vector<ScenarioDensity> Measure(const std::vector<Contender>& contenders, int seeds = 3) {
  return MeasureDensity({MakeSubject("a")}, contenders, Seeds(seeds), KeptUpToName);
}

TEST(Density, TheStaticFitIsWhatTheHostHasForBootMemory) {
  EXPECT_EQ(StaticFit(MakeSubject("a", 4, 16 * kGiB), 1), 15);  // 1 GiB is the host's own
  EXPECT_EQ(StaticFit(MakeSubject("a", 100, 4 * kGiB), 1), 3);
  EXPECT_EQ(StaticFit(MakeSubject("a", 4, kGiB), 1), 0);
}

TEST(Density, TheSearchFindsTheExactNumber) {
  for (const int most : {1, 2, 7, 14, 15, 16, 29, 30, 31, 59, 97}) {
    const auto result = Measure({MakeContender("n" + std::to_string(most))});
    EXPECT_EQ(result[0].densities[0].guests, most);
    EXPECT_FALSE(result[0].densities[0].capped);
  }
}

TEST(Density, NotEvenOneIsZero) { EXPECT_EQ(Measure({MakeContender("n0")})[0].densities[0].guests, 0); }

TEST(Density, TheSearchEndsAtItsCap) {
  const auto result = Measure({MakeContender("endless")});
  EXPECT_EQ(result[0].cap, 16 * 15);
  EXPECT_EQ(result[0].densities[0].guests, 16 * 15);
  EXPECT_TRUE(result[0].densities[0].capped);
}

TEST(Density, StaticSizesAreHeldToTheirBootMemory) {
  const auto result = Measure({MakeContender(kStaticName), MakeContender("endless")});
  EXPECT_EQ(result[0].densities[0].guests, 15);
  EXPECT_EQ(result[0].Ratio("endless", kStaticName), 16.0);
  EXPECT_EQ(result[0].Ratio("absent", kStaticName), std::nullopt);
}

TEST(Density, EverySeedMustKeepService) {
  const auto run = [](const WorldPlan& plan, const ControllerKind&, const RunOptions& options) {
    RunResult result = CalmRun(plan, options);
    if (plan.seed == 3 && plan.guests.size() > 20) result.measures.host_swapping = Milliseconds(1);
    return result;
  };
  EXPECT_EQ(MeasureDensity({MakeSubject("a")}, {MakeContender("x")}, Seeds(3), run)[0].densities[0].guests,
            20);
  EXPECT_GT(MeasureDensity({MakeSubject("a")}, {MakeContender("x")}, Seeds(2), run)[0].densities[0].guests,
            20);
}

TEST(Density, TheFirstWorldThatFailsEndsATrial) {
  const auto result = Measure({MakeContender("n0")}, 3);
  EXPECT_EQ(result[0].densities[0].worlds_run, 4);  // of 15, 7, 3 and 1 guests
}

TEST(Density, ServiceHasFourSides) {
  struct Case {
    const char* name;
    std::function<void(Measures&)> change;
    bool kept;
  };
  const std::vector<Case> cases = {
      {"calm", [](Measures&) {}, true},
      {"stall at the limit", [](Measures& m) { m.stalled = Seconds(1); }, true},
      {"stall above it", [](Measures& m) { m.stalled = Milliseconds(1001); }, false},
      {"guest kill", [](Measures& m) { m.guest_oom_kills = 1; }, false},
      {"host kill", [](Measures& m) { m.host_oom_kills = 1; }, false},
      {"swapping", [](Measures& m) { m.host_swapping = Milliseconds(1); }, false}};
  for (const Case& each : cases) {
    Measures measures;
    measures.guest_time = Seconds(1000);
    each.change(measures);
    EXPECT_EQ(KeepsService(measures), each.kept) << each.name;
  }
}

TEST(Density, ScenariosThatDoNotAskAreLeftOut) {
  Subject subject = MakeSubject("a");
  subject.measures_density = false;
  EXPECT_TRUE(MeasureDensity({subject}, {MakeContender("x")}, Seeds(1), KeptUpToName).empty());
}

}  // namespace
}  // namespace ballast::sim
