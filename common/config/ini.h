// A configuration file's text as key = value lines, with or without sections, and the faults found on the
// way. Pure.
//
//   # a comment, to the end of the line, anywhere
//   [section]
//   key = value
//
// Boost.Program_options reads each key line (comments, blanks, the equals sign); the sections are split here,
// because its own parser loses line numbers, forgets sections without keys and stops at the first fault.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ballast::config {

// Where something was written.
struct Origin {
  std::string file;
  int line = 0;
};

struct Fault {
  Origin at;  // an empty file: nowhere in a file
  std::string what;
};

// "FILE:LINE: WHAT", or what alone.
[[nodiscard]] std::string TextOf(const Fault& fault);

struct IniLine {
  Origin at;
  std::string key;
  std::string value;
};

struct IniSection {
  Origin at;
  std::string name;  // what stands between the brackets, blanks trimmed
  std::vector<IniLine> lines;
};

struct Ini {
  std::vector<IniSection> sections;  // in the file's order; a repeated name is repeated here
  std::vector<std::string> faults;
};

// A file of sections.
[[nodiscard]] Ini ReadIni(std::string_view file, std::string_view text);

struct PlainIni {
  std::vector<IniLine> lines;  // in the file's order; a repeated key is repeated here
  std::vector<Fault> faults;
};

// A file that has none.
[[nodiscard]] PlainIni ReadPlainIni(std::string_view file, std::string_view text);

// "FILE:LINE".
[[nodiscard]] std::string TextOf(const Origin& origin);

}  // namespace ballast::config
