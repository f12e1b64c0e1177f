#include "guest-agent/options.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <charconv>
#include <exception>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <vector>

#include "common/base/size_text.h"
#include "common/base/text.h"
#include "common/config/ini.h"
#include "common/os/file_reader.h"

namespace ballast::agent {
namespace {

namespace po = boost::program_options;

constexpr const char* kDefaultFile = "/etc/ballast/agent.conf";

// As typed, before sizes and levels are understood.
struct RawOptions {
  AgentConfig config;
  std::string file = kDefaultFile;
  std::string port;
  std::string burst;
  std::string log_level;
  bool no_vsock = false;
  bool no_protection = false;
  bool no_bpf = false;
  bool no_kmsg = false;
};

po::options_description FileOptions(RawOptions& raw) {
  po::options_description options("Settings (also in the configuration file)");
  options.add_options()("vsock-port", po::value(&raw.port)->value_name("PORT"),
                        "vsock port to listen on, 1..1023 (default 1000)")(
      "no-vsock", po::bool_switch(&raw.no_vsock), "do not listen on vsock")(
      "socket", po::value(&raw.config.socket)->value_name("PATH"),
      "Unix socket for local tools, empty for none (default /run/ballast/agent.sock)")(
      "dial", po::value(&raw.config.dial)->value_name("2:PORT"),
      "connect to the host instead of listening on vsock")(
      "assumed-burst", po::value(&raw.burst)->value_name("SIZE"),
      "bytes a second of the fastest allocator to be ready for (default 1GiB)")(
      "no-bpf", po::bool_switch(&raw.no_bpf),
      "load no programs into the kernel: OOM kills are then read from its log, stalls counted only, and "
      "the agent looks at memory by itself, many times a second")(
      "no-kmsg", po::bool_switch(&raw.no_kmsg),
      "do not read the kernel's log; without BPF, too, OOM kills are counted only, not attributed")(
      "online", po::value(&raw.config.online)->value_name("WHERE"),
      "where plugged memory goes: auto (Movable up to three times the rest), kernel, movable, or off "
      "(default auto)")("root", po::value(&raw.config.root)->value_name("DIR"),
                        "directory in place of / for /proc and /sys")(
      "no-protection", po::bool_switch(&raw.no_protection),
      "neither lock memory nor raise priorities nor leave the OOM killer's list (to compare)")(
      "log-level", po::value(&raw.log_level)->value_name("LEVEL"),
      "debug, info, warning or error (default info)");
  return options;
}

po::options_description CommandOptions(RawOptions& raw) {
  po::options_description options("Commands");
  options.add_options()("config", po::value(&raw.file)->value_name("FILE"),
                        "configuration file (default /etc/ballast/agent.conf, if there)")(
      "check-config", "say what is wrong with the configuration and exit")(
      "print-config", "print the configuration in force and exit")("version", "print the version and exit")(
      "help", "print this and exit");
  return options;
}

Action ActionOf(const po::variables_map& values) {
  if (values.count("help") != 0) return Action::kHelp;
  if (values.count("version") != 0) return Action::kVersion;
  if (values.count("check-config") != 0) return Action::kCheckConfig;
  if (values.count("print-config") != 0) return Action::kPrintConfig;
  return Action::kRun;
}

std::string HelpOf(const po::options_description& all) {
  std::ostringstream help;
  help << "ballast-agent tells the host how much memory this guest needs.\n"
          "ballast-agent ask SIZE asks the host for more; see ballast-agent ask --help.\n"
       << all;
  return help.str();
}

// Sizes, levels and switches; returns what is wrong with them.
std::vector<std::string> ReadTexts(RawOptions& raw) {
  std::vector<std::string> faults;
  if (!raw.port.empty()) {
    const auto [end, error] =
        std::from_chars(raw.port.data(), raw.port.data() + raw.port.size(), raw.config.vsock_port);
    if (error != std::errc{} || end != raw.port.data() + raw.port.size())
      faults.push_back(StrCat("vsock-port = ", raw.port, ": allowed are 1..1023"));
  }
  if (!raw.burst.empty()) {
    const auto size = ParseSize(raw.burst);
    if (size.ok()) {
      raw.config.assumed_burst_bytes_per_second = *size;
    } else {
      faults.push_back(StrCat("assumed-burst: ", MessageOf(size.status())));
    }
  }
  constexpr std::string_view kLevels[] = {"debug", "info", "warning", "error"};
  for (size_t i = 0; i < std::size(kLevels); ++i) {
    if (raw.log_level == kLevels[i]) raw.config.log_level = static_cast<LogLevel>(i);
  }
  const bool known = std::find(std::begin(kLevels), std::end(kLevels), raw.log_level) != std::end(kLevels);
  if (!raw.log_level.empty() && !known) {
    faults.push_back(StrCat("log-level = ", raw.log_level, ": allowed are debug, info, warning, error"));
  }
  raw.config.vsock = !raw.no_vsock;
  raw.config.protect = !raw.no_protection;
  raw.config.bpf = !raw.no_bpf;
  raw.config.kmsg = !raw.no_kmsg;
  return faults;
}

// The file's settings into `values`, where the command line has not set them.
class FileSettings {
 public:
  FileSettings(const po::options_description& known, po::variables_map& values)
      : known_(known), values_(values) {}

  // Errors: the file cannot be read. The default one need not be there.
  absl::Status Read(const std::string& path, std::vector<config::Fault>& faults) {
    const auto text = FileReader().Read(std::filesystem::absolute(path).string());
    if (!text.ok() && path == kDefaultFile && absl::IsNotFound(text.status())) return absl::OkStatus();
    if (!text.ok()) return WithContext("config", text.status());
    config::PlainIni ini = config::ReadPlainIni(path, *text);
    faults = std::move(ini.faults);
    for (const config::IniLine& line : ini.lines) {
      std::string fault = Take(line);
      if (!fault.empty()) faults.push_back({line.at, std::move(fault)});
    }
    return absl::OkStatus();
  }
  // Where that is written what a fault begins with; nowhere, when the command line said it.
  [[nodiscard]] config::Origin PlaceOf(std::string_view fault) const {
    const auto found = origins_.find(fault.substr(0, fault.find_first_of(" :")));
    return found == origins_.end() || commanded_.contains(found->first) ? config::Origin{} : found->second;
  }

 private:
  std::string Take(const config::IniLine& line) {
    const po::option_description* setting = known_.find_nothrow(line.key, /*approx=*/false);
    if (setting == nullptr) return StrCat("unknown key '", line.key, "'; see --help");
    const auto [earlier, is_first] = origins_.emplace(line.key, line.at);
    if (!is_first) return StrCat(line.key, " is set in line ", earlier->second.line, " already");
    const bool may_be_empty = line.key == "socket" || line.key == "dial" || line.key == "root";
    if (line.value.empty() && !may_be_empty)
      return StrCat(line.key, " has no value; for the default leave the line out");
    const auto before = values_.find(line.key);
    if (before != values_.end() && !before->second.defaulted()) commanded_.insert(line.key);
    try {
      po::parsed_options parsed(&known_);
      parsed.options.emplace_back(line.key, std::vector<std::string>{line.value});
      po::store(parsed, values_);
    } catch (const po::error&) {  // all others are texts
      return StrCat(line.key, " = ", line.value, ": write true or false");
    }
    return "";
  }

  const po::options_description& known_;
  po::variables_map& values_;
  std::map<std::string, config::Origin, std::less<>> origins_;  // by key
  std::set<std::string, std::less<>> commanded_;                // the command line's word counts
};

// The command line's first, then the file's in the order of its lines.
std::string TextOf(std::vector<config::Fault> faults) {
  std::stable_sort(faults.begin(), faults.end(),
                   [](const config::Fault& a, const config::Fault& b) { return a.at.line < b.at.line; });
  std::string text;
  for (const config::Fault& fault : faults) text += StrCat(text.empty() ? "" : "\n", config::TextOf(fault));
  return text;
}

}  // namespace

absl::StatusOr<Options> ParseOptions(int argc, const char* const* argv) {
  RawOptions raw;
  Options options;
  std::vector<config::Fault> faults;
  const auto settings = FileOptions(raw);
  po::options_description all;
  all.add(CommandOptions(raw)).add(settings);
  po::variables_map values;
  FileSettings file(settings, values);
  options.help = HelpOf(all);
  try {
    po::store(po::command_line_parser(argc, argv).options(all).positional({}).run(), values);
    options.action = ActionOf(values);
    if (options.action == Action::kHelp || options.action == Action::kVersion) return options;
    if (values.count("config") != 0) raw.file = values["config"].as<std::string>();
    if (auto status = file.Read(raw.file, faults); !status.ok()) return status;
    po::notify(values);
  } catch (const std::exception& error) {  // also of a working directory that is gone
    return absl::InvalidArgumentError(error.what());
  }
  std::vector<std::string> wrong = ReadTexts(raw);
  for (std::string& fault : Validate(raw.config)) wrong.push_back(std::move(fault));
  for (std::string& fault : wrong) faults.push_back({file.PlaceOf(fault), std::move(fault)});
  if (!faults.empty()) return absl::InvalidArgumentError(ToAbsl(TextOf(std::move(faults))));
  options.config = raw.config;
  return options;
}

}  // namespace ballast::agent
