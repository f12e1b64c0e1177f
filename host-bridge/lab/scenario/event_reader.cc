#include "host-bridge/lab/scenario/event_reader.h"

#include <algorithm>
#include <optional>

#include "host-bridge/config/value_text.h"
#include "host-bridge/lab/scenario/scenario_keys.h"

namespace ballast::sim {
namespace {

using config::IniLine;
using config::IniSection;

// Fine enough that one step is far below the reserve of a host that has one.
constexpr int kStairs = 20;

class EventReader {
 public:
  EventReader(const IniSection& section, ScenarioSpec& spec, Faults& faults)
      : section_(section), spec_(spec), faults_(faults) {}

  void Run() {
    const auto left = Apply(section_, EventKeys(), draft_, settings_, faults_);
    RefuseUnknown(section_, left, NamesOf(EventKeys()), faults_);
    if (!settings_.contains("guest") || !settings_.contains("kind") || !settings_.contains("at")) return;
    CheckTimes();
    if (draft_.guest == "host") {
      AddToHost();
    } else {
      AddToGuests();
    }
  }

 private:
  void Fault(std::string_view key, std::string_view what) {
    const auto line = settings_.find(key);
    if (line == settings_.end()) {
      faults_.At(section_, what);
    } else {
      faults_.At(section_, line->second, what);
    }
  }

  void CheckTimes() {
    if (spec_.length.count > 0 && draft_.at >= spec_.length) {
      Fault("at", StrCat("is not before the end; write less than ", config::FormatDuration(spec_.length)));
    }
    if (draft_.every && *draft_.every <= draft_.length) {
      Fault("every", StrCat("begins again before it has ended; write more than ",
                            config::FormatDuration(draft_.length)));
    }
  }

  void CheckLength(bool wanted) {
    if (wanted && !settings_.contains("length")) {
      faults_.At(section_,
                 StrCat("the key 'length' is missing; ", draft_.kind, " lasts: write length = 10min"));
    }
    if (!wanted && settings_.contains("length")) {
      Fault("length", StrCat(draft_.kind, " happens at an instant; leave it out"));
    }
  }

  void CheckValue(bool wanted) {
    if (wanted && !draft_.value) {
      faults_.At(section_,
                 StrCat("the key 'value' is missing; ", draft_.kind, " needs it: write value = 1GiB"));
    }
    if (!wanted && draft_.value) Fault("value", StrCat(draft_.kind, " has no value; leave it out"));
  }

  template <typename Words>
  const typename Words::value_type* WordOf(const Words& words) {
    std::vector<std::string_view> known;
    for (const auto& word : words) {
      if (word.word == draft_.kind) return &word;
      known.push_back(word.word);
    }
    Fault("kind", StrCat("unknown here; ", Suggestion(draft_.kind, known)));
    return nullptr;
  }

  // Calls `add` with each instant at which it happens.
  template <typename Add>
  void Repeat(const Add& add) {
    // Each is held in memory, for each guest: a year of something every minute has half a million.
    constexpr int64_t kMostTimes = 1'000'000;
    constexpr int64_t kMostInAllGuests = 10'000'000;
    int64_t guests = 0;
    for (const GuestGroup& group : spec_.groups) guests += group.count;
    const int64_t most = std::min(kMostTimes, kMostInAllGuests / std::max<int64_t>(1, guests));
    if (draft_.every && (spec_.length - draft_.at).count / draft_.every->count >= most) {
      Fault("every", StrCat("would happen more than ", most, " times in this world; write a longer time"));
      return;
    }
    Nanos at = draft_.at;
    do {
      add(at);
      if (!draft_.every) return;
      at = at + *draft_.every;
    } while (at < spec_.length);
  }

  void AddToHost() {
    const HostEventWord* word = WordOf(HostEventWords());
    if (word == nullptr) return;
    CheckLength(true);
    CheckValue(word->has_value);
    CheckOver(word->has_value);
    if (!faults_.empty()) return;
    Repeat([&](Nanos at) { AddStairs(word->kind, at); });
  }

  // Its value at once, or grown to in equal steps, each of which lasts until the end.
  void AddStairs(HostEvent::Kind kind, Nanos at) {
    const int64_t value = draft_.value.value_or(0);
    const int steps = draft_.over.count > 0 ? kStairs : 1;
    for (int step = 0; step < steps; ++step) {
      const Nanos later = draft_.over * step / steps;
      spec_.host.events.push_back(
          {kind, at + later, draft_.length - later, value * (step + 1) / steps - value * step / steps});
    }
  }

  void CheckOver(bool possible) {
    if (draft_.over.count == 0) return;
    if (!possible) return Fault("over", StrCat(draft_.kind, " does not grow; leave it out"));
    if (draft_.over < draft_.length || !settings_.contains("length")) return;
    Fault("over",
          StrCat("it ends before it has grown; write less than ", config::FormatDuration(draft_.length)));
  }

  void AddToGuests() {
    const GuestEventWord* word = WordOf(GuestEventWords());
    if (word != nullptr) {
      CheckLength(word->has_length);
      CheckValue(word->has_value);
      CheckOver(false);
    }
    const auto target = FindTarget();
    if (!target || word == nullptr || !faults_.empty()) return;
    Repeat([&](Nanos at) {
      target->group->events.push_back(
          {target->index, {word->kind, at, draft_.length, draft_.value.value_or(0)}});
    });
  }

  struct Target {
    GuestGroup* group = nullptr;
    int32_t index = 0;  // 0: all of them
  };

  // A group by its name, or one guest by its own: the 2nd of "web" is "web-2".
  std::optional<Target> FindTarget() {
    const std::string_view name = draft_.guest;
    if (GuestGroup* group = GroupNamed(name)) return Target{group, 0};
    const size_t dash = name.rfind('-');
    GuestGroup* group = dash == std::string_view::npos ? nullptr : GroupNamed(name.substr(0, dash));
    if (group == nullptr) {
      std::vector<std::string_view> known{"host"};
      for (const GuestGroup& g : spec_.groups) known.push_back(g.name);
      Fault("guest", StrCat("there is no [guests ", name, "]; ", Suggestion(name, known)));
      return std::nullopt;
    }
    const auto index = config::ParseCount(name.substr(dash + 1));
    if (index.ok() && *index >= 1 && *index <= group->count) return Target{group, *index};
    Fault("guest",
          StrCat("there is no such guest; write ", group->name, "-1 to ", group->name, "-", group->count));
    return std::nullopt;
  }

  GuestGroup* GroupNamed(std::string_view name) {
    const auto group = std::find_if(spec_.groups.begin(), spec_.groups.end(),
                                    [&](const GuestGroup& g) { return g.name == name; });
    return group == spec_.groups.end() ? nullptr : &*group;
  }

  const IniSection& section_;
  ScenarioSpec& spec_;
  Faults& faults_;
  EventDraft draft_;
  Settings settings_;
};

}  // namespace

void ReadEvent(const config::IniSection& section, ScenarioSpec& spec, Faults& faults) {
  EventReader(section, spec, faults).Run();
}

}  // namespace ballast::sim
