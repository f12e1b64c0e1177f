#include <unistd.h>

#include <limits>

#include "common/base/text.h"
#include "host-bridge/lab/command_line.h"
#include "host-bridge/lab/commands.h"
#include "host-bridge/lab/effort_options.h"
#include "host-bridge/lab/report/page.h"
#include "host-bridge/lab/report/text_report.h"
#include "host-bridge/lab/report/verdict.h"
#include "host-bridge/lab/subjects.h"
#include "host-bridge/lab/world/run.h"

namespace ballast::sim {
namespace {

namespace po = boost::program_options;

// Beside Ballast in the page's pictures: what most hosts have, what most clouds have, and what rivals can at
// best.
const std::vector<std::string>& PreferredRivals() {
  static const auto& names = *new std::vector<std::string>{kStaticName, "hypeman", "proxmox"};
  return names;
}

struct Request {
  std::vector<Subject> subjects;
  std::vector<Contender> contenders;
  Effort effort;
  int density_seeds = 0;  // 0: density is not asked for
  std::string html;
  bool text = false;
  std::string command_line;
};

po::options_description Options() {
  po::options_description options("Options");
  AddEffortOptions(options, 10);
  options.add_options()  //
      ("controllers", po::value<std::string>()->default_value(""),
       "only these, as in ballast,static; default: all")                                     //
      ("density", "search how many guests fit on the host, where the scenario asks for it")  //
      ("density-seeds", po::value<int64_t>()->default_value(3),
       "worlds that each number of guests is tried in")                                               //
      ("html", po::value<std::string>()->default_value(""), "write a page with charts to this file")  //
      ("text", "print the tables also where a page is written")                                       //
      ("help", "print this text and exit");
  return options;
}

po::options_description AllOptions() {
  po::options_description hidden;
  hidden.add_options()("scenario", po::value<std::vector<std::string>>());
  return hidden.add(Options());
}

absl::StatusOr<Request> Interpret(const po::variables_map& given, const std::vector<std::string>& arguments) {
  Request request;
  auto effort = EffortOf(given);
  if (!effort.ok()) return effort.status();
  request.effort = *std::move(effort);
  request.html = given["html"].as<std::string>();
  request.text = request.html.empty() || given.count("text") != 0;
  request.command_line = CommandLineText("compare", arguments);
  const auto density_seeds = given["density-seeds"].as<int64_t>();
  if (auto status = CheckWithin("density-seeds", density_seeds, 1, std::numeric_limits<int>::max());
      !status.ok())
    return status;
  if (given.count("density") != 0) {
    request.density_seeds = static_cast<int>(density_seeds);
  } else if (!given["density-seeds"].defaulted()) {
    return absl::InvalidArgumentError("--density-seeds: says nothing without --density");
  }
  auto contenders = ChooseContenders(given["controllers"].as<std::string>());
  if (!contenders.ok()) return WithContext("--controllers", contenders.status());
  request.contenders = *std::move(contenders);
  std::vector<std::string> paths;
  if (given.count("scenario") != 0) paths = given["scenario"].as<std::vector<std::string>>();
  auto subjects = LoadSubjects(paths);
  if (!subjects.ok()) return subjects.status();
  request.subjects = *std::move(subjects);
  return request;
}

// On a terminal a line that is overwritten; elsewhere nothing.
Progress ProgressOn(std::ostream& err, std::string_view what) {
  if (isatty(STDERR_FILENO) == 0) return {};
  return [&err, what = std::string(what)](size_t done, size_t total) {
    if (done != total && done * 100 / total == (done - 1) * 100 / total) return;
    err << "\r" << what << ": " << done * 100 / total << " %" << (done == total ? "\n" : "") << std::flush;
  };
}

Report MakeReport(const Request& request, std::ostream& err) {
  Report report;
  report.command_line = request.command_line;
  Effort effort = request.effort;
  effort.progress = ProgressOn(err, "worlds");
  report.comparison = Compare(request.subjects, request.contenders, effort, Run);
  if (request.density_seeds > 0) {
    effort.seeds = request.density_seeds;
    effort.progress = ProgressOn(err, "density");
    report.densities = MeasureDensity(request.subjects, request.contenders, effort, Run);
    report.density_seeds = request.density_seeds;
  }
  if (!request.html.empty()) {
    report.drawings = Draw(request.subjects, request.contenders, request.effort, Run, PreferredRivals());
  }
  return report;
}

}  // namespace

int CompareCommand(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
  const auto given = ParseArguments(arguments, AllOptions(), "scenario");
  if (!given.ok()) {
    err << MessageOf(given.status()) << "\n";
    return kExitUsage;
  }
  if (given->count("help") != 0) {
    out << HelpText(
        "compare [SCENARIO...]",
        "Runs each scenario (a file, a folder or a name; default: all of scenarios/) under each controller "
        "in\nthe same worlds, prints what happened, and says where a rival does better than Ballast.",
        Options());
    return kExitOk;
  }
  const auto request = Interpret(*given, arguments);
  if (!request.ok()) {
    err << MessageOf(request.status()) << "\n";
    return kExitUsage;
  }
  const Report report = MakeReport(*request, err);
  if (request->text) out << TextOf(report) << std::flush;
  if (!request->html.empty()) {
    if (auto status = WriteFile(request->html, PageOf(report)); !status.ok()) {
      // An hour's work is not to be lost for a file name.
      if (!request->text) out << TextOf(report) << std::flush;
      err << MessageOf(status) << "\n";
      return kExitUsage;
    }
  }
  return MissedExpectations(report.comparison).empty() ? kExitOk : kExitMissed;
}

}  // namespace ballast::sim
