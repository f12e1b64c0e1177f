#include "host-bridge/lab/scenario/section_reader.h"

#include "host-bridge/config/value_text.h"

namespace ballast::sim {

void Faults::At(const config::IniSection& section, const config::IniLine& line, std::string_view what) {
  // "measure <= 3" is read as the key "measure <".
  const bool compares = line.key.ends_with('<') || line.key.ends_with('>');
  Add(line.at.line, StrCat(TextOf(line.at), ": [", section.name, "] ", line.key, compares ? "= " : " = ",
                           line.value, ": ", what));
}

void Faults::At(const config::IniSection& section, std::string_view what) {
  Add(section.at.line, StrCat(TextOf(section.at), ": [", section.name, "]: ", what));
}

std::string Faults::Text() const {
  auto sorted = faults_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string text;
  for (const auto& [line, fault] : sorted) text += (text.empty() ? "" : "\n") + fault;
  return text;
}

std::string Suggestion(std::string_view word, const std::vector<std::string_view>& known) {
  if (const auto near = config::Nearest(word, known); !near.empty())
    return StrCat("did you mean '", near, "'?");
  std::string list;
  for (const auto& name : known) list += StrCat(list.empty() ? "" : ", ", name);
  return StrCat("known are ", list);
}

bool Note(const config::IniSection& section, const config::IniLine& line, Settings& settings,
          Faults& faults) {
  const auto [first, fresh] = settings.emplace(line.key, line);
  if (!fresh) {
    faults.At(section, line,
              StrCat("duplicate; already set at ", TextOf(first->second.at), "; keep one of the two"));
  }
  return fresh;
}

void RefuseUnknown(const config::IniSection& section, const std::vector<config::IniLine>& left,
                   const std::vector<std::string_view>& known, Faults& faults) {
  for (const config::IniLine& line : left) {
    faults.At(section, line, StrCat("unknown key; ", Suggestion(line.key, known)));
  }
}

}  // namespace ballast::sim
