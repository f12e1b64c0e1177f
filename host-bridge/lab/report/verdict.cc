#include "host-bridge/lab/report/verdict.h"

#include <algorithm>
#include <cmath>

#include "common/base/text.h"
#include "host-bridge/lab/report/measures.h"
#include "host-bridge/lab/report/number_text.h"

namespace ballast::sim {
namespace {

const Standing* OursIn(const ScenarioStandings& scenario) {
  const auto found = std::find_if(scenario.standings.begin(), scenario.standings.end(),
                                  [](const Standing& standing) { return standing.ours; });
  return found == scenario.standings.end() ? nullptr : &*found;
}

bool LessStall(const Summary& theirs, const Summary& ours) {
  const double their_rate = theirs.stall_seconds_per_guest_hour.overall;
  const double our_rate = ours.stall_seconds_per_guest_hour.overall;
  return their_rate < our_rate && RateText(their_rate) != RateText(our_rate);
}

std::string Position(const Summary& summary) {
  return StrCat(CountText(summary.kills()), summary.kills() == 1 ? " kill, " : " kills, ",
                RateText(summary.stall_seconds_per_guest_hour.overall), " s/h, ",
                GibText(summary.mean_resident_bytes), " GiB");
}

}  // namespace

Verdicts Judge(const Comparison& comparison) {
  Verdicts verdicts;
  for (const ScenarioStandings& scenario : comparison.scenarios) {
    const Standing* own = OursIn(scenario);
    if (own == nullptr) continue;
    const Summary ours = Summarize(own->worlds);
    for (const Standing& standing : scenario.standings) {
      if (standing.ours) continue;
      Better better{scenario.name, standing.controller, false, false, ours, Summarize(standing.worlds)};
      better.fewer_kills = better.theirs.kills() < ours.kills();
      better.less_stall = LessStall(better.theirs, ours);
      if (!better.fewer_kills && !better.less_stall) continue;
      const bool equal = better.theirs.mean_resident_bytes <= ours.mean_resident_bytes * kEqualDensity;
      (equal ? verdicts.at_equal_density : verdicts.with_more_memory).push_back(better);
    }
  }
  return verdicts;
}

std::vector<std::string> LinesOf(const std::vector<Better>& list) {
  std::vector<std::string> lines;
  std::string scenario;
  for (const Better& better : list) {
    if (better.scenario != scenario) {
      scenario = better.scenario;
      lines.push_back(StrCat(scenario, " (Ballast ", Position(better.ours), "):"));
    } else {
      lines.back() += ";";
    }
    lines.back() += StrCat(" ", better.rival, " ", Position(better.theirs));
  }
  return lines;
}

std::vector<VerdictList> ListsOf(const Comparison& comparison, const Verdicts& verdicts) {
  const bool ours_ran = std::any_of(comparison.scenarios.begin(), comparison.scenarios.end(),
                                    [](const ScenarioStandings& one) { return OursIn(one) != nullptr; });
  if (!ours_ran) return {{"Ballast", {"was not run: there is nothing to compare with"}}};
  std::vector<VerdictList> lists = {
      {StrCat(
           "Rivals with fewer kills or less stall than Ballast at equal density (mean host memory at most ",
           RatioText(kEqualDensity), " times Ballast's)"),
       LinesOf(verdicts.at_equal_density)},
      {"Rivals with fewer kills or less stall than Ballast that hold more host memory",
       LinesOf(verdicts.with_more_memory)},
      {"Promises of the scenario files that Ballast does not keep in every world",
       MissedExpectations(comparison)}};
  for (VerdictList& list : lists) {
    if (list.lines.empty()) list.lines.push_back("none");
  }
  return lists;
}

std::vector<std::string> MissedExpectations(const Comparison& comparison) {
  std::vector<std::string> missed;
  for (const ScenarioStandings& scenario : comparison.scenarios) {
    const Standing* own = OursIn(scenario);
    if (own == nullptr) continue;
    for (const Judgement& judgement : JudgeExpectations(scenario.expectations, own->worlds)) {
      if (!judgement.kept()) missed.push_back(StrCat(scenario.name, ": ", TextOf(judgement)));
    }
  }
  return missed;
}

}  // namespace ballast::sim
