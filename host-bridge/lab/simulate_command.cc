#include <algorithm>

#include "absl/strings/str_format.h"
#include "common/base/text.h"
#include "host-bridge/lab/command_line.h"
#include "host-bridge/lab/commands.h"
#include "host-bridge/lab/effort_options.h"
#include "host-bridge/lab/report/measures.h"
#include "host-bridge/lab/report/page.h"
#include "host-bridge/lab/report/text_report.h"
#include "host-bridge/lab/subjects.h"
#include "host-bridge/lab/world/run.h"

namespace ballast::sim {
namespace {

namespace po = boost::program_options;

struct Request {
  std::vector<Subject> subjects;
  Contender contender;
  Effort effort;
  bool log = false;
  std::string html;
  std::string command_line;
};

po::options_description Options() {
  po::options_description options("Options");
  AddEffortOptions(options, 1);
  options.add_options()  //
      ("controller", po::value<std::string>()->default_value("ballast"),
       "who drives the balloons; see list")  //
      ("policy", po::value<std::vector<std::string>>()->composing(),
       "KEY=VALUE, a setting of Ballast's policy as in bridge.conf, on top of the file's; may be repeated")  //
      ("log", "print the decisions of the first world that missed an expectation, else of the first")  //
      ("html", po::value<std::string>()->default_value(""), "write a page with charts to this file")   //
      ("help", "print this text and exit");
  return options;
}

absl::StatusOr<Request> Interpret(const po::variables_map& given, const std::vector<std::string>& arguments) {
  if (given.count("scenario") == 0)
    return absl::InvalidArgumentError("simulate: name a scenario; see --help");
  Request request;
  auto effort = EffortOf(given);
  if (!effort.ok()) return effort.status();
  request.effort = *std::move(effort);
  request.log = given.count("log") != 0;
  request.html = given["html"].as<std::string>();
  request.command_line = CommandLineText("simulate", arguments);
  const auto chosen = ChooseContenders(given["controller"].as<std::string>());
  if (!chosen.ok()) return WithContext("--controller", chosen.status());
  if (chosen->size() != 1) return absl::InvalidArgumentError("--controller: name one; compare takes several");
  request.contender = chosen->front();
  auto subjects = LoadSubjects(given["scenario"].as<std::vector<std::string>>());
  if (!subjects.ok()) return subjects.status();
  std::vector<std::string> settings;
  if (given.count("policy") != 0) settings = given["policy"].as<std::vector<std::string>>();
  if (!settings.empty() && !request.contender.ours) {
    return absl::InvalidArgumentError(
        StrCat("--policy: is Ballast's, and nothing to ", request.contender.kind.name));
  }
  subjects = WithPolicy(*std::move(subjects), settings);
  if (!subjects.ok()) return subjects.status();
  request.subjects = *std::move(subjects);
  return request;
}

std::string OneWorld(const WorldResult& world) {
  std::string text;
  for (const MeasureValue& measure : MeasureValues()) {
    text += absl::StrFormat("  %-30s %16s\n", ToAbsl(measure.name), ValueText(measure, measure.of(world)));
  }
  return text;
}

// Least, median and most over the worlds, with the seed of the most.
std::string ManyWorlds(const std::vector<WorldResult>& worlds) {
  std::string text = absl::StrFormat("  %-30s %16s %16s %16s\n", "", "least", "median", "most");
  for (const MeasureValue& measure : MeasureValues()) {
    std::vector<std::pair<double, uint64_t>> values;
    for (const WorldResult& world : worlds) values.emplace_back(measure.of(world), world.seed);
    std::sort(values.begin(), values.end());
    const bool differs = values.front().first != values.back().first;
    text += absl::StrFormat(
        "  %-30s %16s %16s %16s%s\n", ToAbsl(measure.name), ValueText(measure, values.front().first),
        ValueText(measure, values[(values.size() - 1) / 2].first), ValueText(measure, values.back().first),
        differs ? StrCat("  seed ", values.back().second) : std::string());
  }
  return text;
}

void PrintLog(const Request& request, size_t scenario, uint64_t seed, std::ostream& out) {
  const RunResult result =
      Run(request.subjects[scenario].plan(seed, 0), request.contender.kind, {.sample_every = Seconds(3600)});
  out << "decisions with seed " << seed << ":\n";
  for (const std::string& line : result.log) out << "  " << line << "\n";
  if (result.log.empty()) out << "  none told\n";
}

// False when a promise was missed.
bool PrintScenario(const Request& request, const Comparison& comparison, size_t index, std::ostream& out) {
  const ScenarioStandings& scenario = comparison.scenarios[index];
  const std::vector<WorldResult>& worlds = scenario.standings.front().worlds;
  out << scenario.name << ": " << request.contender.kind.name << "\n"
      << Wrapped(scenario.title) << Wrapped(CaptionOf(comparison, scenario))
      << (worlds.size() == 1 ? OneWorld(worlds.front()) : ManyWorlds(worlds));
  bool kept = true;
  uint64_t log_seed = worlds.front().seed;
  if (!request.contender.ours) {
    out << "what the file promises is promised of Ballast alone\n";
  } else {
    for (const Judgement& judgement : JudgeExpectations(scenario.expectations, worlds)) {
      out << "expected " << TextOf(judgement) << "\n";
      if (kept && judgement.first_failed_seed) log_seed = *judgement.first_failed_seed;
      kept = kept && judgement.kept();
    }
  }
  if (request.log) PrintLog(request, index, log_seed, out);
  out << "\n";
  return kept;
}

absl::Status WritePage(const Request& request, const Comparison& comparison) {
  Report report;
  report.comparison = comparison;
  report.command_line = request.command_line;
  report.drawings = Draw(request.subjects, {request.contender}, request.effort, Run, {});
  return WriteFile(request.html, PageOf(report));
}

}  // namespace

int SimulateCommand(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
  po::options_description all = Options();
  all.add_options()("scenario", po::value<std::vector<std::string>>());
  const auto given = ParseArguments(arguments, all, "scenario");
  if (!given.ok()) {
    err << MessageOf(given.status()) << "\n";
    return kExitUsage;
  }
  if (given->count("help") != 0) {
    out << HelpText("simulate SCENARIO...",
                    "Runs scenarios (files, folders, or names in scenarios/) under one controller, prints "
                    "what happened,\n"
                    "and holds Ballast to what the files promise of it.",
                    Options());
    return kExitOk;
  }
  const auto request = Interpret(*given, arguments);
  if (!request.ok()) {
    err << MessageOf(request.status()) << "\n";
    return kExitUsage;
  }
  const Comparison comparison = Compare(request->subjects, {request->contender}, request->effort, Run);
  bool kept = true;
  for (size_t i = 0; i < comparison.scenarios.size(); ++i) {
    kept = PrintScenario(*request, comparison, i, out) && kept;
  }
  if (!request->html.empty()) {
    if (auto status = WritePage(*request, comparison); !status.ok()) {
      err << MessageOf(status) << "\n";
      return kExitUsage;
    }
  }
  return kept ? kExitOk : kExitMissed;
}

}  // namespace ballast::sim
