// The scenario files of the project, for tests.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace ballast::sim {

struct ScenarioFile {
  std::string name;
  std::string text;

  friend void PrintTo(const ScenarioFile& file, std::ostream* out) { *out << file.name; }
};

// All of scenarios/, by name. BALLAST_SOURCE_DIR is the top of the project.
inline std::vector<ScenarioFile> ScenarioFiles() {
  std::vector<ScenarioFile> files;
  for (const auto& entry : std::filesystem::directory_iterator(BALLAST_SOURCE_DIR "/scenarios")) {
    if (entry.path().extension() != ".scenario") continue;
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    files.push_back({entry.path().stem().string(), text.str()});
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return files;
}

}  // namespace ballast::sim
