#include "host-bridge/config/options.h"

#include <boost/program_options.hpp>
#include <sstream>

#include "common/base/text.h"
#include "host-bridge/config/config_files.h"
#include "host-bridge/config/config_keys.h"
#include "host-bridge/config/print_config.h"

namespace ballast::config {
namespace {

namespace po = boost::program_options;

constexpr int kExitUsage = 2;

po::options_description Description() {
  po::options_description description("Options");
  description.add_options()  //
      ("config", po::value<std::string>()->default_value(Options().config_path),
       "the configuration: a file (and guests.d/*.conf beside it) or a directory of *.conf")        //
      ("check-config", "say whether the configuration is right, list every fault, and exit")        //
      ("print-config", "print the configuration with all defaults, in its own syntax, and exit")    //
      ("dry-run", "decide and log, but command no VMM")                                             //
      ("log-level", po::value<std::string>(), "debug, info, warning or error; overrules the file")  //
      ("version", "print the version and exit")                                                     //
      ("help", "print this text and exit");
  return description;
}

std::string HelpText() {
  std::ostringstream text;
  text << "ballast-bridge: keeps the guests of this host out of OOM and takes back the memory none needs.\n\n"
       << Description();
  return text.str();
}

Answer Refuse(const std::vector<std::string>& faults) {
  Answer answer{.exit_code = kExitUsage, .out = {}, .err = {}};
  for (const std::string& fault : faults) answer.err += fault + "\n";
  return answer;
}

}  // namespace

absl::StatusOr<Options> ParseOptions(const std::vector<std::string>& arguments) {
  Options options;
  po::variables_map given;
  try {
    // An abbreviated option would change its meaning when a longer one is added.
    const int style = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
    const po::options_description description = Description();
    // No argument stands alone: a forgotten "--" is an error.
    const po::positional_options_description none;
    po::store(po::command_line_parser(arguments).options(description).positional(none).style(style).run(),
              given);
    po::notify(given);
  } catch (const po::error& error) {
    return absl::InvalidArgumentError(StrCat(error.what(), "; see --help"));
  }
  options.config_path = given["config"].as<std::string>();
  options.dry_run = given.count("dry-run") != 0;
  if (given.count("log-level") != 0) {
    const auto level = ParseLogLevel(given["log-level"].as<std::string>());
    if (!level.ok()) return WithContext("--log-level", level.status());
    options.log_level = *level;
  }
  if (given.count("check-config") != 0) options.action = Action::kCheckConfig;
  if (given.count("print-config") != 0) options.action = Action::kPrintConfig;
  if (given.count("version") != 0) options.action = Action::kVersion;
  if (given.count("help") != 0) options.action = Action::kHelp;
  return options;
}

std::variant<BridgeConfig, Answer> Prepare(const std::vector<std::string>& arguments) {
  const auto options = ParseOptions(arguments);
  if (!options.ok()) return Refuse({MessageOf(options.status())});
  if (options->action == Action::kHelp) return Answer{0, HelpText(), ""};
  if (options->action == Action::kVersion) return Answer{0, "ballast-bridge " BALLAST_VERSION "\n", ""};

  Loaded loaded = LoadConfig(options->config_path);
  if (!loaded.faults.empty()) return Refuse(loaded.faults);
  BridgeConfig& config = loaded.config;
  config.dry_run = options->dry_run;
  config.log_level = options->log_level.value_or(config.log_level);
  if (options->action == Action::kCheckConfig) {
    const size_t guests = config.guests.size();
    const char* counted = guests == 0   ? " guests; a section [guest NAME] makes it manage one\n"
                          : guests == 1 ? " guest\n"
                                        : " guests\n";
    return Answer{0, StrCat(options->config_path, ": ok, ", guests, counted), ""};
  }
  if (options->action == Action::kPrintConfig) return Answer{0, PrintConfig(config), ""};
  return std::move(config);
}

}  // namespace ballast::config
