// The house rules against this very tree. Each failure reads "file:line: rule".
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/house/include_rules.h"

namespace ballast::house {
namespace {

namespace fs = std::filesystem;

bool IsChecked(const fs::path& path) {
  return path.extension() == ".h" || path.extension() == ".cc" || path.filename() == "CMakeLists.txt";
}

std::vector<SourceFile> ReadTree() {
  const fs::path root = BALLAST_SOURCE_DIR;
  std::vector<SourceFile> files;
  for (const char* part : {"common", "guest-agent", "host-bridge", "proto", "tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / part)) {
      if (!entry.is_regular_file() || !IsChecked(entry.path())) continue;
      std::ostringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      files.push_back({fs::relative(entry.path(), root).generic_string(), text.str()});
    }
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

void Report(const std::vector<Violation>& violations) {
  for (const Violation& violation : violations) ADD_FAILURE() << TextOf(violation);
}

bool IsSource(const SourceFile& file) { return !file.path.ends_with("CMakeLists.txt"); }

TEST(House, TheTreeIsFound) { EXPECT_GT(ReadTree().size(), 50u); }

TEST(House, EveryIncludeIsAllowed) {
  for (const SourceFile& file : ReadTree()) {
    if (IsSource(file)) Report(CheckIncludes(file));
  }
}

TEST(House, EveryFileIsInShape) {
  for (const SourceFile& file : ReadTree()) {
    if (IsSource(file)) Report(CheckShape(file));
  }
}

TEST(House, EverySourceIsBuilt) { Report(CheckBuildLists(ReadTree())); }

}  // namespace
}  // namespace ballast::house
