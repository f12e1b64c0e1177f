#include "tests/bench/lab_bench.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

#include "absl/strings/str_format.h"
#include "common/base/text.h"
#include "host-bridge/lab/report/number_text.h"
#include "host-bridge/lab/report/summary.h"
#include "host-bridge/lab/report/text_report.h"
#include "host-bridge/lab/subjects.h"
#include "host-bridge/lab/world/ballast_controller.h"
#include "host-bridge/lab/world/run.h"

namespace ballast::bench {
namespace {

constexpr int kSeeds = 100;
constexpr int kDensitySeeds = 3;
constexpr double kGuestHours = 1e6;
constexpr char kLongScenario[] = "idle-heavy";  // cheap an hour, and starving is easy in it
constexpr char kHeadlineDensity[] = "mixed";

// The scenarios are read from the source tree: the figures must not depend on the present directory.
absl::StatusOr<std::vector<sim::Subject>> Scenarios() {
  return sim::LoadSubjects({StrCat(BALLAST_SOURCE_DIR, "/", sim::kScenarioFolder)});
}

double Hours(Nanos time) { return static_cast<double>(time.count) / 3.6e12; }

Figure Absent(std::string name, std::string unit, std::string goal, std::string why) {
  return {std::move(name), std::nullopt, std::move(unit), std::move(goal), std::nullopt, "", std::move(why)};
}

const sim::ScenarioStandings* Find(const sim::Comparison& comparison, const std::string& name) {
  const auto found =
      std::find_if(comparison.scenarios.begin(), comparison.scenarios.end(),
                   [&](const sim::ScenarioStandings& scenario) { return scenario.name == name; });
  return found == comparison.scenarios.end() ? nullptr : &*found;
}

// "static 3.41, fpr-only 1.50": a column's value for the rivals.
template <typename Text>
std::string Beside(const sim::ScenarioStandings& scenario, const Text& text) {
  std::string beside;
  for (const sim::Standing& standing : scenario.standings) {
    if (standing.ours) continue;
    beside +=
        StrCat(beside.empty() ? "" : ", ", standing.controller, " ", text(sim::Summarize(standing.worlds)));
  }
  return beside;
}

// Of guests whose balloons do not deflate by themselves: nothing but Ballast stands between a burst and a
// kill.
Figure BurstKills(const sim::Comparison& comparison) {
  const sim::ScenarioStandings* scenario = Find(comparison, "bursts");
  if (scenario == nullptr) return Absent("sim_burst_oom_kills", "kills", "0", "no scenario 'bursts'");
  const std::string bare = sim::BallastWithoutDeflate().name;
  const auto standing = std::find_if(scenario->standings.begin(), scenario->standings.end(),
                                     [&](const sim::Standing& one) { return one.controller == bare; });
  if (standing == scenario->standings.end())
    return Absent("sim_burst_oom_kills", "kills", "0", StrCat("no ", bare, " in the comparison"));
  const sim::Summary ours = sim::Summarize(standing->worlds);
  const auto kills = static_cast<double>(ours.total.guest_oom_kills);
  return {"sim_burst_oom_kills",
          kills,
          "kills",
          "0",
          kills == 0,
          Beside(*scenario, [](const sim::Summary& s) { return sim::CountText(s.total.guest_oom_kills); }),
          absl::StrFormat("scenario bursts (about 100 bursts a world), %s, without deflate-on-oom, simulated",
                          sim::CaptionOf(comparison, *scenario))};
}

Figure Amplification(const sim::Comparison& comparison) {
  const sim::ScenarioStandings* scenario = Find(comparison, "build-farm-staggered");
  if (scenario == nullptr) return Absent("residency_amplification", "ratio", "<= 1.25", "no such scenario");
  const double ratio = sim::Summarize(scenario->standings.front().worlds).amplification.overall;
  return {"residency_amplification",
          ratio,
          "ratio",
          "<= 1.25",
          ratio <= 1.25,
          Beside(*scenario, [](const sim::Summary& s) { return sim::RatioText(s.amplification.overall); }),
          absl::StrFormat(
              "host memory behind the guests / memory in use in them, over time; scenario %s, %s, simulated",
              scenario->name, sim::CaptionOf(comparison, *scenario))};
}

Figure IdleReversals(const sim::Comparison& comparison) {
  const sim::ScenarioStandings* scenario = Find(comparison, "idle-steady");
  if (scenario == nullptr) return Absent("idle_reversals", "count", "0", "no scenario 'idle-steady'");
  const auto reversals =
      static_cast<double>(sim::Summarize(scenario->standings.front().worlds).total.reversals);
  return {"idle_reversals",
          reversals,
          "count",
          "0",
          reversals == 0,
          Beside(*scenario, [](const sim::Summary& s) { return sim::CountText(s.total.reversals); }),
          absl::StrFormat("scenario idle-steady, %s, simulated", sim::CaptionOf(comparison, *scenario))};
}

struct LongRun {
  sim::Measures total;     // Ballast's worlds of the table and those run besides
  double own_hours = 0;    // guest-hours of the latter
  double own_minutes = 0;  // wall clock
  int own_worlds = 0;
};

// Worlds of the long scenario, with seeds after the table's, until all together make kGuestHours.
LongRun RunOn(const std::vector<sim::Subject>& subjects, const sim::Comparison& comparison) {
  LongRun run;
  for (const sim::ScenarioStandings& scenario : comparison.scenarios) {
    run.total += sim::Summarize(scenario.standings.front().worlds).total;
  }
  const auto subject = std::find_if(subjects.begin(), subjects.end(),
                                    [](const sim::Subject& one) { return one.name == kLongScenario; });
  const sim::ScenarioStandings* known = Find(comparison, kLongScenario);
  if (subject == subjects.end() || known == nullptr) return run;
  const sim::Summary sample = sim::Summarize(known->standings.front().worlds);
  const double hours_each = Hours(sample.total.guest_time) / static_cast<double>(sample.worlds);
  sim::Effort effort;
  effort.first_seed = kSeeds + 1;
  // One world more than the mean asks for: their guests do not run equally long.
  effort.seeds =
      1 + std::max(0, static_cast<int>((kGuestHours - Hours(run.total.guest_time)) / hours_each + 1));
  const auto begin = std::chrono::steady_clock::now();
  const auto own = sim::Compare({*subject}, {comparison.contenders.front()}, effort, sim::Run);
  const std::chrono::duration<double, std::ratio<60>> minutes = std::chrono::steady_clock::now() - begin;
  const sim::Measures measures = sim::Summarize(own.scenarios[0].standings[0].worlds).total;
  run.total += measures;
  run.own_hours = Hours(measures.guest_time);
  run.own_minutes = minutes.count();
  run.own_worlds = effort.seeds;
  return run;
}

void AddLongFigures(const LongRun& run, std::vector<Figure>& figures) {
  const double starved = static_cast<double>(run.total.starved_by_us.count) / 1e9;
  const double hours = Hours(run.total.guest_time);
  figures.push_back(
      {"sim_starved_seconds", starved, "s", "0", starved == 0 && hours >= kGuestHours, "",
       absl::StrFormat(
           "guest time below 2 %% available while Ballast's balloon held what was missing and the host had "
           "it, in %s guest-hours: the table's worlds and %d more of %s, simulated",
           sim::CountText(static_cast<int64_t>(hours)), run.own_worlds, kLongScenario)});
  const double speed = run.own_minutes > 0 ? run.own_hours / run.own_minutes : 0;
  figures.push_back({"sim_guest_hours_per_minute", speed, "h/min", ">= 1e6", speed >= 1e6, "",
                     absl::StrFormat("wall clock, %d cores, %d worlds of %s under Ballast",
                                     std::thread::hardware_concurrency(), run.own_worlds, kLongScenario)});
}

// The four whose densities the figures relate.
std::vector<sim::Contender> DensityContenders() {
  std::vector<sim::Contender> chosen;
  for (const sim::Contender& contender : sim::AllContenders()) {
    const std::string& name = contender.kind.name;
    const bool wanted = chosen.empty() || name == sim::kStaticName || name == sim::kReportingOnlyName ||
                        name == sim::kOracleName;
    if (wanted) chosen.push_back(contender);
  }
  return chosen;
}

Figure DensityFigure(const sim::Report& report, const std::string& ours, const char* other, double goal) {
  Figure figure{"", std::nullopt, "ratio", absl::StrFormat(">= %.3g", goal), std::nullopt, "", ""};
  for (const sim::ScenarioDensity& density : report.densities) {
    const auto ratio = density.Ratio(ours, other);
    figure.how +=
        StrCat(figure.how.empty() ? "" : ", ", density.scenario, " ", ratio ? sim::RatioText(*ratio) : "-");
    if (density.scenario == kHeadlineDensity) figure.value = ratio;
  }
  figure.how = absl::StrFormat(
      "guests on one host with service kept, Ballast / %s; %s (the value), all: %s; %d worlds "
      "a trial, simulated",
      other, kHeadlineDensity, figure.how, report.density_seeds);
  if (figure.value) figure.met = *figure.value >= goal;
  return figure;
}

}  // namespace

absl::StatusOr<std::vector<Figure>> MeasureSimulation() {
  const auto subjects = Scenarios();
  if (!subjects.ok()) return subjects.status();
  sim::Effort effort;
  effort.seeds = kSeeds;
  sim::Report report;
  report.command_line = absl::StrFormat("ballast-lab compare --seeds %d", kSeeds);
  report.comparison = sim::Compare(*subjects, sim::AllContenders(), effort, sim::Run);
  std::printf("%s", sim::TextOf(report).c_str());
  std::vector<Figure> figures = {BurstKills(report.comparison), Amplification(report.comparison),
                                 IdleReversals(report.comparison)};
  AddLongFigures(RunOn(*subjects, report.comparison), figures);
  return figures;
}

absl::StatusOr<std::vector<Figure>> MeasureDensities() {
  const auto subjects = Scenarios();
  if (!subjects.ok()) return subjects.status();
  sim::Effort effort;
  effort.seeds = kDensitySeeds;
  sim::Report report;
  report.density_seeds = kDensitySeeds;
  const std::vector<sim::Contender> contenders = DensityContenders();
  report.densities = sim::MeasureDensity(*subjects, contenders, effort, sim::Run);
  std::printf("%s\n", sim::Wrapped(sim::DensityCaption(report)).c_str());
  for (const sim::ScenarioDensity& density : report.densities) {
    std::printf("%s\n%s", density.scenario.c_str(), sim::TextOf(sim::TableOf(density)).c_str());
  }
  const std::string& ours = contenders.front().kind.name;
  std::vector<Figure> figures = {DensityFigure(report, ours, sim::kStaticName, 3),
                                 DensityFigure(report, ours, sim::kReportingOnlyName, 1.5),
                                 DensityFigure(report, ours, sim::kOracleName, 0.95)};
  figures[0].name = "density_vs_static";
  figures[1].name = "density_vs_fpr";
  figures[2].name = "density_vs_oracle";
  return figures;
}

}  // namespace ballast::bench
