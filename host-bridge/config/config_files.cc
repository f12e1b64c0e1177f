#include "host-bridge/config/config_files.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "common/base/text.h"
#include "common/os/file_reader.h"

namespace ballast::config {
namespace {

namespace fs = std::filesystem;

// The *.conf files of `folder` by name, appended to `files`.
void AddFolder(const fs::path& folder, std::vector<std::string>& files, std::vector<std::string>& faults) {
  std::vector<std::string> found;
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  if (error == std::errc::no_such_file_or_directory) return;
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    if (entries->path().extension() == ".conf") found.push_back(entries->path().string());
  }
  if (error) faults.push_back(StrCat(folder.string(), ": ", error.message()));
  std::sort(found.begin(), found.end());
  files.insert(files.end(), found.begin(), found.end());
}

}  // namespace

Loaded LoadConfig(const std::string& path) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path, error);
  const bool is_folder = fs::is_directory(absolute, error);
  const fs::path folder = is_folder ? absolute : absolute.parent_path();

  std::vector<std::string> files;
  std::vector<std::string> faults;
  if (is_folder) {
    AddFolder(folder, files, faults);
  } else {
    files.push_back(absolute.string());
  }
  AddFolder(folder / "guests.d", files, faults);

  std::vector<ConfigText> texts;
  for (const std::string& file : files) {
    // A pipe or a device might never end.
    if (fs::exists(file, error) && !fs::is_regular_file(file, error)) {
      faults.push_back(StrCat(file, ": is no regular file"));
      continue;
    }
    auto text = FileReader().Read(file);
    if (text.ok()) {
      texts.push_back({file, *std::move(text)});
    } else {
      faults.push_back(MessageOf(text.status()));
    }
  }
  if (files.empty()) faults.push_back(StrCat(path, ": holds no *.conf file"));
  Loaded loaded = Interpret(texts);
  loaded.faults.insert(loaded.faults.begin(), faults.begin(), faults.end());
  return loaded;
}

}  // namespace ballast::config
