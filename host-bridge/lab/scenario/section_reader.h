// Reads one section's lines by a table of keys, and collects the faults of a whole file.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/text.h"
#include "common/config/ini.h"
#include "host-bridge/config/config_keys.h"

namespace ballast::sim {

// Faults of one file, in the order of its lines.
class Faults {
 public:
  void Add(int line, std::string text) { faults_.emplace_back(line, std::move(text)); }
  // "FILE:LINE: [section] key = value: what".
  void At(const config::IniSection& section, const config::IniLine& line, std::string_view what);
  // "FILE:LINE: [section]: what".
  void At(const config::IniSection& section, std::string_view what);

  [[nodiscard]] bool empty() const { return faults_.empty(); }
  // One a line.
  [[nodiscard]] std::string Text() const;

 private:
  std::vector<std::pair<int, std::string>> faults_;
};

// "did you mean 'title'?", or a list of what is known.
[[nodiscard]] std::string Suggestion(std::string_view word, const std::vector<std::string_view>& known);

// Each key that was set, and where.
using Settings = std::map<std::string, config::IniLine, std::less<>>;

// Notes `line` in `settings`; false, and a fault, when its key was there already.
[[nodiscard]] bool Note(const config::IniSection& section, const config::IniLine& line, Settings& settings,
                        Faults& faults);

// Fills `out` from the lines whose key is in `keys`, complains of keys that are missing, and returns the
// lines left.
template <typename T>
[[nodiscard]] std::vector<config::IniLine> Apply(const config::IniSection& section,
                                                 const std::vector<config::Key<T>>& keys, T& out,
                                                 Settings& settings, Faults& faults) {
  std::vector<config::IniLine> left;
  for (const config::IniLine& line : section.lines) {
    const auto key =
        std::find_if(keys.begin(), keys.end(), [&](const auto& k) { return k.name == line.key; });
    if (key == keys.end()) {
      left.push_back(line);
      continue;
    }
    if (!Note(section, line, settings, faults)) continue;
    const absl::Status status = key->read(line.value, out);
    if (!status.ok()) faults.At(section, line, MessageOf(status));
  }
  for (const auto& key : keys) {
    if (key.required_example.empty() || settings.contains(key.name)) continue;
    faults.At(section,
              StrCat("the key '", key.name, "' is missing; write ", key.name, " = ", key.required_example));
  }
  return left;
}

template <typename T>
[[nodiscard]] std::vector<std::string_view> NamesOf(const std::vector<config::Key<T>>& keys) {
  std::vector<std::string_view> names;
  for (const auto& key : keys) names.push_back(key.name);
  return names;
}

// Complains of each line left over.
void RefuseUnknown(const config::IniSection& section, const std::vector<config::IniLine>& left,
                   const std::vector<std::string_view>& known, Faults& faults);

}  // namespace ballast::sim
