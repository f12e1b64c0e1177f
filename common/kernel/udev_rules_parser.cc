#include "common/kernel/udev_rules_parser.h"

#include "common/kernel/number_field.h"

namespace ballast::kernel {
namespace {

// What follows `name` in the rule: its operator and its value; empty: the rule has no such key.
std::string_view After(std::string_view rule, std::string_view name) {
  const size_t at = rule.find(name);
  if (at == std::string_view::npos) return "";
  rule.remove_prefix(at + name.size());
  SkipSpaces(rule);
  return rule;
}

// KEY="value" and KEY:="value", which assign; not KEY=="value" and KEY!="value", which compare.
bool Assigns(std::string_view rule, std::string_view key) {
  for (std::string_view rest = After(rule, key); !rest.empty(); rest = After(rest, key)) {
    if (rest.starts_with(":=") || (rest.starts_with('=') && !rest.starts_with("=="))) return true;
  }
  return false;
}

bool SpeaksOfMemory(std::string_view rule) {
  const std::string_view value = After(rule, "SUBSYSTEM");
  return value.starts_with("==\"memory\"") || value.starts_with("!=\"memory\"");
}

bool SpeaksOfAnother(std::string_view rule) {
  return After(rule, "SUBSYSTEM").starts_with("==\"") && !SpeaksOfMemory(rule);
}

}  // namespace

bool BringsMemoryOnline(std::string_view rules) {
  bool memory = false;
  bool writes = false;
  bool another = false;  // the rule at hand names another subsystem; it may go on over several lines
  bool goes_on = false;
  while (!rules.empty()) {
    std::string_view line = TakeLine(rules);
    SkipSpaces(line);
    if (line.starts_with('#')) continue;
    if (!goes_on) another = false;
    another = another || SpeaksOfAnother(line);
    memory = memory || SpeaksOfMemory(line);
    writes = writes || (!another && (Assigns(line, "ATTR{state}") || Assigns(line, "ATTR{online}")));
    goes_on = line.ends_with('\\');
  }
  return memory && writes;
}

}  // namespace ballast::kernel
