// The house rules a text can be checked for without compiling it. Pure: paths and texts in, violations out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ballast::house {

struct SourceFile {
  std::string path;  // from the project's root: "common/base/time.h"
  std::string text;
};

struct Violation {
  std::string file;
  int line = 0;
  std::string rule;

  friend bool operator==(const Violation&, const Violation&) = default;
};

// "file:line: rule".
[[nodiscard]] std::string TextOf(const Violation& violation);

// Who may include what: the table at the top of include_rules.cc.
[[nodiscard]] std::vector<Violation> CheckIncludes(const SourceFile& file);

// Length (outside tests/), #pragma once, tabs.
[[nodiscard]] std::vector<Violation> CheckShape(const SourceFile& file);

// `files` holds sources and CMakeLists.txt alike: every .cc is named by the CMakeLists.txt of its folder or
// of one above it, and none of these uses file(GLOB).
[[nodiscard]] std::vector<Violation> CheckBuildLists(const std::vector<SourceFile>& files);

}  // namespace ballast::house
