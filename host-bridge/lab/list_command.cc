#include "common/base/text.h"
#include "host-bridge/lab/command_line.h"
#include "host-bridge/lab/commands.h"
#include "host-bridge/lab/report/number_text.h"
#include "host-bridge/lab/report/text_report.h"
#include "host-bridge/lab/subjects.h"

namespace ballast::sim {
namespace {

namespace po = boost::program_options;

std::string ScenarioText(const Subject& subject) {
  const WorldPlan plan = subject.plan(1, 0);
  return StrCat("  ", subject.name, " (", subject.guests, " guests, ",
                GibText(static_cast<double>(plan.host.total_bytes)), " GiB, ", SpanText(plan.length),
                subject.measures_density ? ", measures density" : "", ")\n",
                Wrapped(subject.title, "      "));
}

}  // namespace

int ListCommand(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
  po::options_description options("Options");
  options.add_options()("help", "print this text and exit");
  po::options_description all;
  all.add(options).add_options()("scenario", po::value<std::vector<std::string>>());
  const auto given = ParseArguments(arguments, all, "scenario");
  if (!given.ok()) {
    err << MessageOf(given.status()) << "\n";
    return kExitUsage;
  }
  if (given->count("help") != 0) {
    out << HelpText(
        "list [SCENARIO...]",
        "Lists the scenarios (default: all of scenarios/) and the controllers, with their sources.", options);
    return kExitOk;
  }
  std::vector<std::string> paths;
  if (given->count("scenario") != 0) paths = (*given)["scenario"].as<std::vector<std::string>>();
  const auto subjects = LoadSubjects(paths);
  out << "Controllers\n";
  for (const Contender& contender : AllContenders()) {
    out << "  " << contender.kind.name << "\n" << Wrapped(contender.kind.source, "      ");
  }
  if (!subjects.ok()) {
    err << MessageOf(subjects.status()) << "\n";
    return kExitUsage;
  }
  out << "\nScenarios\n";
  for (const Subject& subject : *subjects) out << ScenarioText(subject);
  return kExitOk;
}

}  // namespace ballast::sim
