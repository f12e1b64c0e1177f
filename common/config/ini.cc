#include "common/config/ini.h"

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

// One line outside the brackets goes into `lines`; false: it is no setting.
bool ReadKeyLine(const Origin& at, std::string_view line, std::vector<IniLine>& lines) {
  try {
    std::istringstream stream{std::string(line)};
    const auto parsed = po::parse_config_file(stream, po::options_description(), /*allow_unregistered=*/true);
    for (const auto& option : parsed.options) {
      lines.push_back({at, option.string_key, option.value.empty() ? "" : option.value.front()});
    }
  } catch (const po::error&) {
    return false;
  }
  return true;
}

// Calls `each` with every line that says something, without its comment.
template <typename Each>
void ForEachLine(std::string_view file, std::string_view text, const Each& each) {
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const std::string_view line = WithoutComment(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!line.empty()) each(Origin{std::string(file), number}, line);
  }
}

bool IsSection(std::string_view line) { return line.front() == '[' && line.back() == ']'; }

}  // namespace

std::string TextOf(const Origin& origin) { return StrCat(origin.file, ":", origin.line); }

std::string TextOf(const Fault& fault) {
  return fault.at.file.empty() ? fault.what : StrCat(TextOf(fault.at), ": ", fault.what);
}

Ini ReadIni(std::string_view file, std::string_view text) {
  Ini ini;
  IniSection orphans;  // lines before the first section have no place to go
  ForEachLine(file, text, [&](const Origin& at, std::string_view line) {
    if (IsSection(line)) {
      ini.sections.push_back({at, std::string(Trim(line.substr(1, line.size() - 2))), {}});
      return;
    }
    IniSection& section = ini.sections.empty() ? orphans : ini.sections.back();
    if (ReadKeyLine(at, line, section.lines)) return;
    ini.faults.push_back(
        StrCat(TextOf(at), ": '", line, "' is neither a [section] nor a setting; write key = value"));
  });
  for (const auto& line : orphans.lines) {
    ini.faults.push_back(StrCat(TextOf(line.at), ": ", line.key, " = ", line.value,
                                ": stands before the first section; put it below a line like [policy]"));
  }
  return ini;
}

PlainIni ReadPlainIni(std::string_view file, std::string_view text) {
  PlainIni ini;
  ForEachLine(file, text, [&](const Origin& at, std::string_view line) {
    if (IsSection(line)) {
      ini.faults.push_back({at, StrCat("'", line, "': this file has no sections; leave the line out")});
    } else if (!ReadKeyLine(at, line, ini.lines)) {
      ini.faults.push_back({at, StrCat("'", line, "' is no setting; write key = value")});
    }
  });
  return ini;
}

}  // namespace ballast::config
