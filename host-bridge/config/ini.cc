#include "host-bridge/config/ini.h"

#include <boost/program_options.hpp>
#include <sstream>

#include "common/base/text.h"

namespace ballast::config {
namespace {

namespace po = boost::program_options;

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string_view WithoutComment(std::string_view line) { return Trim(line.substr(0, line.find('#'))); }

// One line outside the brackets goes into `section`, or a fault into `ini`.
void ReadKeyLine(const Origin& at, std::string_view line, IniSection& section, Ini& ini) {
  try {
    std::istringstream stream{std::string(line)};
    const auto parsed = po::parse_config_file(stream, po::options_description(), /*allow_unregistered=*/true);
    for (const auto& option : parsed.options) {
      section.lines.push_back({at, option.string_key, option.value.empty() ? "" : option.value.front()});
    }
  } catch (const po::error&) {
    ini.faults.push_back(
        StrCat(TextOf(at), ": '", line, "' is neither a [section] nor a setting; write key = value"));
  }
}

}  // namespace

std::string TextOf(const Origin& origin) { return StrCat(origin.file, ":", origin.line); }

Ini ReadIni(std::string_view file, std::string_view text) {
  Ini ini;
  IniSection orphans;  // lines before the first section have no place to go
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const std::string_view line = WithoutComment(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty()) continue;
    const Origin at{std::string(file), number};
    if (line.front() == '[' && line.back() == ']') {
      ini.sections.push_back({at, std::string(Trim(line.substr(1, line.size() - 2))), {}});
      continue;
    }
    ReadKeyLine(at, line, ini.sections.empty() ? orphans : ini.sections.back(), ini);
  }
  for (const auto& line : orphans.lines) {
    ini.faults.push_back(StrCat(TextOf(line.at), ": ", line.key, " = ", line.value,
                                ": stands before the first section; put it below a line like [policy]"));
  }
  return ini;
}

}  // namespace ballast::config
