// ReadScenario: a file's text into a checked ScenarioSpec, or all its faults at once.
#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "common/base/size_text.h"
#include "common/base/text.h"
#include "host-bridge/config/interpret.h"
#include "host-bridge/config/value_text.h"
#include "host-bridge/lab/scenario/event_reader.h"
#include "host-bridge/lab/scenario/expectation_reader.h"
#include "host-bridge/lab/scenario/scenario.h"
#include "host-bridge/lab/scenario/scenario_keys.h"
#include "host-bridge/lab/scenario/section_reader.h"
#include "host-bridge/lab/scenario/workload_kind.h"

namespace ballast::sim {
namespace {

using config::IniLine;
using config::IniSection;

constexpr size_t kMaxName = 64;
constexpr int kMaxGuests = 10'000;
const std::vector<std::string_view>& SectionNames() {
  static const auto& names =
      *new std::vector<std::string_view>{"scenario", "host", "policy", "guests NAME", "event NAME", "expect"};
  return names;
}

// "web" of "[guests web]"; empty where there is none.
std::string_view NameIn(const IniSection& section) {
  std::string_view name = section.name;
  name.remove_prefix(std::min(name.find_first_of(" \t"), name.size()));
  while (name.starts_with(' ') || name.starts_with('\t')) name.remove_prefix(1);
  return name;
}

bool IsName(std::string_view name) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  return !name.empty() && name.size() <= kMaxName && name != "host" &&
         name.find_first_not_of(kLetters) == std::string_view::npos;
}

std::string StemOf(std::string_view file) {
  file.remove_prefix(file.rfind('/') == std::string_view::npos ? 0 : file.rfind('/') + 1);
  return std::string(file.substr(0, file.rfind('.')));
}

class Reader {
 public:
  explicit Reader(std::string_view file) : file_(file) { spec_.name = StemOf(file); }

  absl::StatusOr<Scenario> Run(std::string_view text) {
    const config::Ini ini = config::ReadIni(file_, text);
    for (const std::string& fault : ini.faults) faults_.Add(0, fault);
    for (const IniSection& section : ini.sections) TakeSection(section);
    for (const std::string_view name : {"scenario", "host"}) {
      if (!seen_.contains(name)) Missing(StrCat("[", name, "]"));
    }
    if (!has_guests_) Missing("[guests NAME]");
    CheckHost();
    for (const auto& [section, settings, group] : groups_) CheckGroup(section, settings, group);
    CheckCount();
    for (auto& [section, settings, group] : groups_) spec_.groups.push_back(std::move(group));
    // Events name guests, which may be described below them.
    for (const IniSection& section : events_) ReadEvent(section, spec_, faults_);
    if (!faults_.empty()) return absl::InvalidArgumentError(faults_.Text());
    return Scenario(std::move(spec_));
  }

 private:
  struct Group {
    IniSection section;
    Settings settings;
    GuestGroup group;
  };

  void Missing(std::string_view section) {
    faults_.Add(1, StrCat(file_, ":1: ", section, ": the section is missing; add one"));
  }

  void TakeSection(const IniSection& section) {
    const std::string_view name = NameIn(section);
    const std::string_view word = std::string_view(section.name).substr(0, section.name.find_first_of(" \t"));
    // However many blanks are between the two.
    const std::string key = name.empty() ? section.name : StrCat(word, " ", name);
    has_guests_ = has_guests_ || word == "guests";
    if (const auto [first, fresh] = seen_.emplace(key, section.at); !fresh) {
      faults_.At(section, StrCat("duplicate; this section is already at ", TextOf(first->second),
                                 "; keep one of the two"));
      return;
    }
    if (word == "guests" || word == "event") return TakeNamed(section, word, name);
    if (section.name == "scenario") return TakeHead(section);
    if (section.name == "host") return TakeHost(section);
    if (section.name == "policy") return TakePolicy(section);
    if (section.name == "expect") {
      spec_.expectations = ReadExpectations(section, faults_);
      return;
    }
    faults_.At(section, StrCat("unknown section; ", Suggestion(word, SectionWords())));
  }

  static std::vector<std::string_view> SectionWords() {
    std::vector<std::string_view> words;
    for (const auto name : SectionNames()) words.push_back(name.substr(0, name.find(' ')));
    return words;
  }

  void TakeNamed(const IniSection& section, std::string_view word, std::string_view name) {
    if (!IsName(name)) {
      faults_.At(section, StrCat("'", name, "' is no name; write 1 to ", kMaxName,
                                 " of A-Z a-z 0-9 . _ - (\"host\" is taken)"));
      return;
    }
    if (word == "event") {
      events_.push_back(section);
    } else {
      TakeGroup(section, name);
    }
  }

  void TakeHead(const IniSection& section) {
    const auto left = Apply(section, HeadKeys(), spec_, head_, faults_);
    RefuseUnknown(section, left, NamesOf(HeadKeys()), faults_);
  }

  void TakeHost(const IniSection& section) {
    host_section_ = section;
    const auto left = Apply(section, HostKeys(), spec_.host, host_, faults_);
    RefuseUnknown(section, left, NamesOf(HostKeys()), faults_);
  }

  // The bridge's own reader interprets this section, every line of it where it stands in the file.
  void TakePolicy(const IniSection& section) {
    std::string text(static_cast<size_t>(section.at.line - 1), '\n');
    text += "[policy]";
    int at = section.at.line;
    for (const IniLine& line : section.lines) {
      text += std::string(static_cast<size_t>(line.at.line - at), '\n') + line.key + " = " + line.value;
      at = line.at.line;
    }
    config::Loaded loaded = config::Interpret({{file_, text}});
    for (const std::string& fault : loaded.faults) {
      const bool placed = fault.starts_with(file_ + ":");
      faults_.Add(section.at.line, placed ? fault : StrCat(TextOf(section.at), ": ", fault));
    }
    spec_.policy = loaded.config.policy;
  }

  void TakeGroup(const IniSection& section, std::string_view name) {
    Group draft{section, {}, {}};
    draft.group.name = name;
    auto left = Apply(section, GroupKeys(), draft.group, draft.settings, faults_);
    std::vector<std::string_view> known = NamesOf(GroupKeys());
    known.push_back("workload");
    const auto is_workload = [](const IniLine& line) { return line.key == "workload"; };
    const auto line = std::find_if(left.begin(), left.end(), is_workload);
    if (line == left.end()) {
      faults_.At(section, "the key 'workload' is missing; write workload = steady");
      // Its parameters cannot be told from slips of the pen, so only this one fault is named.
    } else {
      TakeWorkload(*line, left, known, draft);
    }
    groups_.push_back(std::move(draft));
  }

  void TakeWorkload(const IniLine& named, const std::vector<IniLine>& left,
                    std::vector<std::string_view>& known, Group& draft) {
    std::vector<std::string_view> kinds;
    for (const WorkloadKind& kind : WorkloadKinds()) kinds.push_back(kind.name);
    const auto kind = std::find_if(WorkloadKinds().begin(), WorkloadKinds().end(),
                                   [&](const WorkloadKind& k) { return k.name == named.value; });
    if (kind == WorkloadKinds().end()) {
      faults_.At(draft.section, named, StrCat("unknown workload; ", Suggestion(named.value, kinds)));
      return;
    }
    for (const auto& parameter : kind->parameters) known.push_back(parameter.first);
    std::vector<IniLine> parameters;
    for (const IniLine& line : left) {
      if (std::find(known.begin(), known.end(), line.key) == known.end()) {
        RefuseUnknown(draft.section, {line}, known, faults_);
      } else if (Note(draft.section, line, draft.settings, faults_) && line.key != "workload") {
        parameters.push_back(line);
      }
    }
    draft.group.workload = kind->read(
        parameters, [&](const IniLine& line, std::string what) { faults_.At(draft.section, line, what); });
  }

  void CheckHost() {
    const auto others = host_.find("others");
    if (spec_.host.others_bytes < spec_.host.total_bytes) return;
    if (others == host_.end()) {
      faults_.At(host_section_, StrCat("others (default ", FormatSize(spec_.host.others_bytes),
                                       ") fills the host; write less than total"));
    } else {
      faults_.At(host_section_, others->second, "fills the host; write less than total");
    }
  }

  void CheckGroup(const IniSection& section, const Settings& settings, const GuestGroup& group) {
    const auto& limits = group.limits;
    struct Rung {
      std::string_view key;
      bool set;
      int64_t bytes;
    };
    const std::array<Rung, 4> ladder{{
        {"floor", limits.floor_bytes.has_value(), limits.floor_bytes.value_or(0)},
        {"baseline", limits.baseline_bytes.has_value(), limits.baseline_bytes.value_or(0)},
        {"ceiling", limits.ceiling_bytes.has_value(), limits.ceiling_bytes.value_or(0)},
        {"boot", settings.contains("boot"), group.boot_bytes + group.device.plug_bytes},
    }};
    for (size_t low = 0; low < ladder.size(); ++low) {
      if (!ladder[low].set) continue;
      for (size_t high = low + 1; high < ladder.size(); ++high) {
        if (!ladder[high].set || ladder[low].bytes <= ladder[high].bytes) continue;
        faults_.At(section, settings.find(ladder[low].key)->second,
                   StrCat("is above ", ladder[high].key, " (", FormatSize(ladder[high].bytes),
                          "); write floor <= baseline <= ceiling <= boot"));
        break;
      }
    }
    if (head_.contains("length") && group.starts.most >= spec_.length && settings.contains("starts")) {
      faults_.At(section, settings.find("starts")->second,
                 StrCat("is not before the end; write less than ", config::FormatDuration(spec_.length)));
    }
  }

  void CheckCount() {
    int guests = 0;
    for (const auto& draft : groups_) {
      guests += draft.group.count;
      if (guests <= kMaxGuests) continue;
      faults_.At(draft.section, StrCat("the guests together are more than ", kMaxGuests, "; write fewer"));
      return;
    }
  }

  const std::string file_;
  ScenarioSpec spec_;
  Faults faults_;
  std::map<std::string, config::Origin, std::less<>> seen_;  // sections, and where
  bool has_guests_ = false;                                  // a section of guests is there, readable or not
  Settings head_;
  Settings host_;
  IniSection host_section_;
  std::vector<Group> groups_;
  std::vector<IniSection> events_;
};

}  // namespace

absl::StatusOr<Scenario> ReadScenario(std::string_view file, std::string_view text) {
  return Reader(file).Run(text);
}

}  // namespace ballast::sim
