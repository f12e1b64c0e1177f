#include <algorithm>
#include <limits>

#include "absl/strings/str_join.h"
#include "common/base/text.h"
#include "host-bridge/config/config_files.h"
#include "host-bridge/config/policy_setting.h"
#include "host-bridge/lab/command_line.h"
#include "host-bridge/lab/commands.h"
#include "host-bridge/lab/replay/run_replay.h"

namespace ballast::sim {
namespace {

namespace po = boost::program_options;

po::options_description Options() {
  po::options_description options("Options");
  options.add_options()  //
      ("policy", po::value<std::vector<std::string>>()->composing(),
       "KEY=VALUE, a setting of [policy] as in bridge.conf, on top of the recorded ones (or of --config's); "
       "may be "
       "repeated")  //
      ("config", po::value<std::string>()->default_value(""),
       "a bridge.conf or a folder of such files, whose [policy] replaces the recorded one")     //
      ("carried", "let histories flow from one replayed decision to the next, as in a bridge")  //
      ("changes", po::value<int>()->default_value(100),
       "show at most this many changed decisions of each journal")  //
      ("help", "print this text and exit");
  return options;
}

// The recorded policy as the arguments change it.
absl::Status Change(const std::string& config, const std::vector<std::string>& settings,
                    policy::PolicyConfig& policy) {
  if (!config.empty()) {
    const config::Loaded loaded = config::LoadConfig(config);
    if (!loaded.faults.empty()) return absl::InvalidArgumentError(absl::StrJoin(loaded.faults, "\n"));
    policy = loaded.config.policy;
  }
  for (const std::string& setting : settings) {
    if (auto status = config::ApplyPolicySetting(setting, policy); !status.ok())
      return WithContext("--policy", status);
  }
  return absl::OkStatus();
}

absl::StatusOr<replay::ReplayRequest> Interpret(const po::variables_map& given) {
  if (given.count("journal") == 0) return absl::InvalidArgumentError("replay: name a journal; see --help");
  const int changes = given["changes"].as<int>();
  if (auto status = CheckWithin("changes", changes, 0, std::numeric_limits<int>::max()); !status.ok())
    return status;
  std::vector<std::string> settings;
  if (given.count("policy") != 0) settings = given["policy"].as<std::vector<std::string>>();
  const std::string config = given["config"].as<std::string>();
  // What is wrong with the arguments is said once, and not for each journal.
  policy::PolicyConfig trial;
  if (auto status = Change(config, settings, trial); !status.ok()) return status;
  replay::ReplayRequest request;
  request.mode =
      given.count("carried") != 0 ? replay::HistoryMode::kCarried : replay::HistoryMode::kAsRecorded;
  request.max_changes = static_cast<size_t>(changes);
  if (!config.empty() || !settings.empty()) {
    request.change_policy = [=](policy::PolicyConfig& policy) {
      if (auto status = Change(config, settings, policy); !status.ok()) return status;
      const std::vector<std::string> faults = config::PolicyFaults(policy);
      if (faults.empty()) return absl::OkStatus();
      return absl::InvalidArgumentError(StrCat("the changed policy: ", absl::StrJoin(faults, "; ")));
    };
  }
  return request;
}

}  // namespace

int ReplayCommand(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
  po::options_description all = Options();
  all.add_options()("journal", po::value<std::vector<std::string>>());
  const auto given = ParseArguments(arguments, all, "journal");
  if (!given.ok()) {
    err << MessageOf(given.status()) << "\n";
    return kExitUsage;
  }
  if (given->count("help") != 0) {
    out << HelpText("replay JOURNAL...",
                    "Decides again on what a bridge recorded: with its policy, which must give the recorded "
                    "decisions to\n"
                    "the last bit, or with another one, whose different decisions are shown.",
                    Options());
    return kExitOk;
  }
  const auto request = Interpret(*given);
  if (!request.ok()) {
    err << MessageOf(request.status()) << "\n";
    return kExitUsage;
  }
  int worst = kExitOk;
  for (const std::string& journal : (*given)["journal"].as<std::vector<std::string>>()) {
    worst = std::max(worst, replay::RunReplay({journal, *request}, out, err));
  }
  return worst;
}

}  // namespace ballast::sim
