#include "host-bridge/lab/report/report.h"

#include <algorithm>

#include "common/base/text.h"
#include "host-bridge/lab/report/number_text.h"
#include "host-bridge/lab/report/summary.h"
#include "host-bridge/lab/report/work_queue.h"

namespace ballast::sim {
namespace {

constexpr size_t kDrawnRivals = 3;
// Two pixels each, in the wide chart of Ballast and in the small ones of its rivals.
constexpr int64_t kWideSamples = 480;
constexpr int64_t kSmallSamples = 240;

std::vector<Contender> Drawn(const std::vector<Contender>& contenders,
                             const std::vector<std::string>& preferred) {
  std::vector<Contender> drawn;
  std::vector<Contender> rivals;
  for (const Contender& contender : contenders) {
    if (!contender.ours) {
      rivals.push_back(contender);
    } else if (drawn.empty()) {
      drawn.push_back(contender);
    }
  }
  const auto rank = [&](const Contender& contender) {
    return std::find(preferred.begin(), preferred.end(), contender.kind.name) - preferred.begin();
  };
  std::stable_sort(rivals.begin(), rivals.end(),
                   [&](const Contender& a, const Contender& b) { return rank(a) < rank(b); });
  rivals.resize(std::min(rivals.size(), kDrawnRivals));
  drawn.insert(drawn.end(), rivals.begin(), rivals.end());
  return drawn;
}

Drawing DrawOne(const Subject& subject, const Contender& contender, uint64_t seed, const Runner& run) {
  const WorldPlan plan = subject.plan(seed, 0);
  RunOptions options;
  options.sample_every =
      std::max(plan.length / (contender.ours ? kWideSamples : kSmallSamples), Milliseconds(10));
  RunResult result = run(plan, contender.kind, options);
  Drawing drawing{subject.name,
                  contender.kind.name,
                  contender.ours,
                  seed,
                  plan.length,
                  options.sample_every,
                  plan.host.total_bytes,
                  {},
                  std::move(result.samples)};
  for (size_t i = 0; i < std::min(options.drawn_guests, plan.guests.size()); ++i) {
    drawing.guests.push_back(plan.guests[i].limits.name);
  }
  return drawing;
}

Table EmptyTable() {
  Table table{{""}, {"controller"}, {false}, {}};
  for (const Column& column : Columns()) {
    table.tops.push_back(column.top);
    table.bottoms.push_back(column.bottom);
    table.harmful.push_back(column.harmful);
  }
  return table;
}

Table::Row RowOf(const std::string& controller, bool ours, const std::vector<WorldResult>& worlds) {
  const Summary summary = Summarize(worlds);
  Table::Row row{{controller}, ours};
  for (const Column& column : Columns()) row.cells.push_back(column.text(summary));
  return row;
}

std::string RatioCell(std::optional<double> ratio) { return ratio ? RatioText(*ratio) : "-"; }

}  // namespace

std::vector<Drawing> Draw(const std::vector<Subject>& subjects, const std::vector<Contender>& contenders,
                          const Effort& effort, const Runner& run,
                          const std::vector<std::string>& preferred) {
  const std::vector<Contender> drawn = Drawn(contenders, preferred);
  std::vector<Drawing> drawings(subjects.size() * drawn.size());
  ForEach(drawings.size(), effort.threads, [&](size_t job) {
    drawings[job] = DrawOne(subjects[job / drawn.size()], drawn[job % drawn.size()], effort.first_seed, run);
  });
  return drawings;
}

Table TableOf(const ScenarioStandings& scenario) {
  Table table = EmptyTable();
  for (const Standing& standing : scenario.standings) {
    table.rows.push_back(RowOf(standing.controller, standing.ours, standing.worlds));
  }
  return table;
}

Table OverviewOf(const Comparison& comparison) {
  Table table = EmptyTable();
  for (size_t i = 0; i < comparison.contenders.size(); ++i) {
    std::vector<WorldResult> worlds;
    for (const ScenarioStandings& scenario : comparison.scenarios) {
      const std::vector<WorldResult>& some = scenario.standings[i].worlds;
      worlds.insert(worlds.end(), some.begin(), some.end());
    }
    const Contender& contender = comparison.contenders[i];
    table.rows.push_back(RowOf(contender.kind.name, contender.ours, worlds));
  }
  return table;
}

Table TableOf(const ScenarioDensity& density) {
  Table table{{"", "VMs on", "times", "times", "times", "worlds"},
              {"controller", "the host", "static", "fpr-only", "oracle", "run"},
              std::vector<bool>(6, false),
              {}};
  for (const Density& one : density.densities) {
    table.rows.push_back({{one.controller, StrCat(one.capped ? ">= " : "", CountText(one.guests)),
                           RatioCell(density.Ratio(one.controller, kStaticName)),
                           RatioCell(density.Ratio(one.controller, kReportingOnlyName)),
                           RatioCell(density.Ratio(one.controller, kOracleName)), CountText(one.worlds_run)},
                          one.ours});
  }
  return table;
}

std::string CaptionOf(const Comparison& comparison, const ScenarioStandings& scenario) {
  const uint64_t last = comparison.first_seed + static_cast<uint64_t>(comparison.seeds) - 1;
  const std::string seeds = comparison.seeds == 1 ? StrCat("1 world (seed ", last, ")")
                                                  : StrCat(comparison.seeds, " worlds (seeds ",
                                                           comparison.first_seed, " to ", last, ")");
  return StrCat(seeds, " of ", scenario.guests, scenario.guests == 1 ? " guest" : " guests", " on a host of ",
                GibText(static_cast<double>(scenario.host_bytes)), " GiB, ", SpanText(scenario.length),
                comparison.seeds == 1 ? "" : " each");
}

std::string DensityCaption(const Report& report) {
  return StrCat(
      "Density: the largest number of guests, in the proportions of the scenario, that one host serves in "
      "each of ",
      report.density_seeds, report.density_seeds == 1 ? " world" : " worlds",
      " with no process and no VM killed, tasks stalled for at most 0.1 % of guest time, and the host's "
      "memory sufficient throughout. ",
      kStaticName, " must also have the boot memory of all its guests.");
}

}  // namespace ballast::sim
