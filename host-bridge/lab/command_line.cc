#include "host-bridge/lab/command_line.h"

#include <fstream>
#include <sstream>

#include "common/base/text.h"

namespace ballast::sim {

namespace po = boost::program_options;

absl::StatusOr<po::variables_map> ParseArguments(const std::vector<std::string>& arguments,
                                                 const po::options_description& options,
                                                 const std::string& positional) {
  // An abbreviated option would change its meaning when a longer one is added.
  const int style = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
  po::positional_options_description words;
  if (!positional.empty()) words.add(positional.c_str(), -1);
  po::variables_map given;
  try {
    po::store(po::command_line_parser(arguments).options(options).positional(words).style(style).run(),
              given);
    po::notify(given);
  } catch (const po::error& error) {
    return absl::InvalidArgumentError(StrCat(error.what(), "; see --help"));
  }
  return given;
}

std::string HelpText(std::string_view usage, std::string_view purpose,
                     const po::options_description& options) {
  std::ostringstream text;
  text << "usage: ballast-lab " << usage << "\n\n"
       << purpose << "\n\n"
       << options
       << "\nexit code: 0 fine, 1 an expectation missed or a recorded decision not repeated, 2 a wrong "
          "argument or file\n";
  return text.str();
}

std::string CommandLineText(std::string_view command, const std::vector<std::string>& arguments) {
  std::string text = StrCat("ballast-lab ", command);
  for (const std::string& argument : arguments) {
    const bool plain =
        !argument.empty() && argument.find_first_of(" \t\n\"'\\$&|;<>()*?[]#~`!{}") == std::string::npos;
    if (plain) {
      text += " " + argument;
      continue;
    }
    std::string quoted;
    for (const char c : argument) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    text += StrCat(" '", quoted, "'");
  }
  return text;
}

absl::Status CheckWithin(std::string_view option, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      StrCat("--", option, ": ", value, " is out of range; write ", least, "..", most));
}

absl::Status WriteFile(const std::string& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.flush();
  return file ? absl::OkStatus() : absl::InvalidArgumentError(StrCat(path, ": cannot be written"));
}

}  // namespace ballast::sim
