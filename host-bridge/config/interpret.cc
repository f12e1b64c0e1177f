#include "host-bridge/config/interpret.h"

#include <algorithm>
#include <map>
#include <optional>
#include <variant>

#include "common/base/size_text.h"
#include "common/base/text.h"
#include "common/config/ini.h"
#include "host-bridge/config/config_keys.h"
#include "host-bridge/config/value_text.h"

namespace ballast::config {
namespace {

constexpr size_t kMaxName = 64;

// Each key that was set, and where.
using Settings = std::map<std::string, IniLine, std::less<>>;

// A guest on its way into the configuration.
struct Draft {
  GuestEntry entry;
  IniSection section;
  Settings settings;

  [[nodiscard]] bool Has(std::string_view key) const { return settings.find(key) != settings.end(); }
};

std::string Place(std::string_view section, const IniLine& line) {
  return StrCat(TextOf(line.at), ": [", section, "] ", line.key, " = ", line.value, ": ");
}

std::string Suggestion(std::string_view word, const std::vector<std::string_view>& known) {
  if (const auto near = Nearest(word, known); !near.empty()) return StrCat("did you mean '", near, "'?");
  std::string list;
  for (const auto& name : known) list += StrCat(list.empty() ? "" : ", ", name);
  return StrCat("known are ", list);
}

bool IsGuestName(std::string_view name) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  return !name.empty() && name.size() <= kMaxName &&
         name.find_first_not_of(kLetters) == std::string_view::npos;
}

class Interpreter {
 public:
  Loaded Run(const std::vector<ConfigText>& texts) {
    for (const auto& [file, text] : texts) {
      Ini ini = ReadIni(file, text);
      for (auto& fault : ini.faults) loaded_.faults.push_back(std::move(fault));
      for (const auto& section : ini.sections) TakeSection(section);
    }
    for (const Draft& draft : drafts_) CheckGuest(draft);
    CheckCadence();
    CheckPolicy();
    for (Draft& draft : drafts_) loaded_.config.guests.push_back(std::move(draft.entry));
    return std::move(loaded_);
  }

 private:
  void Fault(std::string text) { loaded_.faults.push_back(std::move(text)); }

  void TakeSection(const IniSection& section) {
    if (section.name == "bridge") return Apply(section, BridgeKeys(), loaded_.config, bridge_settings_);
    if (section.name == "policy")
      return Apply(section, PolicyKeys(), loaded_.config.policy, policy_settings_);
    if (section.name.starts_with("guest ") || section.name == "guest") return TakeGuest(section);
    const std::string_view first_word = std::string_view(section.name).substr(0, section.name.find(' '));
    Fault(StrCat(TextOf(section.at), ": [", section.name, "]: unknown section; ",
                 first_word == section.name ? Suggestion(section.name, {"bridge", "policy", "guest NAME"})
                                            : Suggestion(first_word, {"bridge", "policy", "guest"})));
  }

  void TakeGuest(const IniSection& section) {
    std::string_view name = std::string_view(section.name).substr(5);
    while (name.starts_with(' ') || name.starts_with('\t')) name.remove_prefix(1);
    if (!IsGuestName(name)) {
      Fault(StrCat(TextOf(section.at), ": [", section.name, "]: '", name,
                   "' is no name for a guest; write 1 to ", kMaxName, " of A-Z a-z 0-9 . _ -"));
      return;
    }
    const auto same = [&](const Draft& draft) { return draft.entry.limits.name == name; };
    if (const auto it = std::find_if(drafts_.begin(), drafts_.end(), same); it != drafts_.end()) {
      Fault(StrCat(TextOf(section.at), ": [", section.name,
                   "]: duplicate; this guest is already described at ", TextOf(it->section.at),
                   "; keep one of the two"));
      return;
    }
    Draft draft{.entry = {}, .section = section, .settings = {}};
    draft.entry.limits.name = name;
    Apply(section, GuestKeys(), draft.entry, draft.settings);
    drafts_.push_back(std::move(draft));
  }

  template <typename T>
  void Apply(const IniSection& section, const std::vector<Key<T>>& keys, T& out, Settings& settings) {
    for (const IniLine& line : section.lines) {
      const auto key =
          std::find_if(keys.begin(), keys.end(), [&](const auto& k) { return k.name == line.key; });
      if (key == keys.end()) {
        std::vector<std::string_view> known;
        for (const auto& k : keys) known.push_back(k.name);
        Fault(StrCat(Place(section.name, line), "unknown key; ", Suggestion(line.key, known)));
        continue;
      }
      if (const auto [first, fresh] = settings.emplace(line.key, line); !fresh) {
        Fault(StrCat(Place(section.name, line), "duplicate; already set at ", TextOf(first->second.at),
                     "; keep one of the two"));
        continue;
      }
      if (const absl::Status status = key->read(line.value, out); !status.ok()) {
        Fault(StrCat(Place(section.name, line), MessageOf(status)));
      }
    }
  }

  void CheckGuest(const Draft& draft) {
    for (const auto& key : GuestKeys()) {
      if (key.required_example.empty() || draft.Has(key.name)) continue;
      Fault(StrCat(TextOf(draft.section.at), ": [", draft.section.name, "]: the key '", key.name,
                   "' is missing; write ", key.name, " = ", key.required_example));
    }
    const auto& limits = draft.entry.limits;
    CheckOrder(draft, {"floor", limits.floor_bytes}, {"baseline", limits.baseline_bytes});
    CheckOrder(draft, {"baseline", limits.baseline_bytes}, {"ceiling", limits.ceiling_bytes});
    if (!limits.baseline_bytes) {
      CheckOrder(draft, {"floor", limits.floor_bytes}, {"ceiling", limits.ceiling_bytes});
    }
    CheckListen(draft);
    CheckDial(draft);
    for (const Draft& other : drafts_) {
      if (&other == &draft) break;
      CheckPair(other, draft);
    }
  }

  struct NamedLimit {
    std::string_view key;
    Maybe<int64_t> bytes;
  };

  void CheckOrder(const Draft& draft, const NamedLimit& low, const NamedLimit& high) {
    if (!low.bytes || !high.bytes || *low.bytes <= *high.bytes) return;
    Fault(StrCat(Place(draft.section.name, draft.settings.find(low.key)->second), "is above the ", high.key,
                 " (", FormatExactSize(*high.bytes), "); write at most that: floor <= baseline <= ceiling"));
  }

  void CheckListen(const Draft& draft) {
    if (draft.entry.link != Link::kListen || !draft.Has("agent")) return;
    const IniLine& line = draft.settings.find("agent")->second;
    if (const auto* plain = std::get_if<UnixAddress>(&draft.entry.agent); plain != nullptr) {
      Fault(StrCat(Place(draft.section.name, line),
                   "link = listen needs the port the agent dials; write unix:PATH:PORT or vsock:CID:PORT"));
    }
    const auto* hybrid = std::get_if<HybridAddress>(&draft.entry.agent);
    if (hybrid && StrCat(hybrid->path, "_", hybrid->port).size() > 107) {
      Fault(StrCat(Place(draft.section.name, line),
                   "with link = listen the socket PATH_PORT has more than 107 bytes; use a shorter path"));
    }
  }

  // Who may take a port of the guest is how the bridge knows that its agent answers. With link = listen the
  // port is the host's.
  void CheckDial(const Draft& draft) {
    if (draft.entry.link != Link::kDial || !draft.Has("agent")) return;
    const auto* vsock = std::get_if<VsockAddress>(&draft.entry.agent);
    const auto* hybrid = std::get_if<HybridAddress>(&draft.entry.agent);
    const uint32_t port = vsock != nullptr ? vsock->port : hybrid != nullptr ? hybrid->port : 0;
    if (port < kFirstUnprivilegedPort) return;
    Fault(StrCat(Place(draft.section.name, draft.settings.find("agent")->second),
                 "any user of the guest can take port ", port,
                 " and answer in the agent's place; write a port from 1 to ", kFirstUnprivilegedPort - 1,
                 " (ballast-agent listens on 1000 unless told otherwise)"));
  }

  // What tells two machines apart: the port does not.
  static std::string MachineOf(const Draft& draft) {
    if (const auto* vsock = std::get_if<VsockAddress>(&draft.entry.agent)) return StrCat("CID ", vsock->cid);
    if (const auto* hybrid = std::get_if<HybridAddress>(&draft.entry.agent)) return hybrid->path;
    return std::get<UnixAddress>(draft.entry.agent).path;
  }

  void CheckPair(const Draft& first, const Draft& second) {
    const auto complain = [&](std::string_view key, std::string_view what) {
      const IniLine& line = second.settings.find(key)->second;
      Fault(StrCat(Place(second.section.name, line), what, " already belongs to [", first.section.name, "] (",
                   TextOf(first.section.at), "); every guest has its own"));
    };
    if (!first.entry.control.empty() && first.entry.control == second.entry.control) {
      complain("control", "this socket");
    }
    const std::string machine = MachineOf(second);
    const bool named = first.Has("agent") && second.Has("agent") && machine != MachineOf(Draft());
    if (named && MachineOf(first) == machine) complain("agent", machine);
    const auto* one = std::get_if<VsockAddress>(&first.entry.agent);
    const auto* other = std::get_if<VsockAddress>(&second.entry.agent);
    const bool both_listen = first.entry.link == Link::kListen && second.entry.link == Link::kListen;
    if (named && both_listen && one != nullptr && other != nullptr && one->port == other->port) {
      complain("agent", StrCat("with link = listen, port ", one->port));
    }
  }

  void CheckCadence() {
    const ReportCadence& reports = loaded_.config.reports;
    if (reports.quiet >= loaded_.config.policy.report_max_age) {
      Fault(StrCat(
          "[bridge] report-quiet = ", FormatDuration(reports.quiet),
          ": a quiet guest would count as silent between two reports; write less than report-max-age in "
          "[policy] (now ",
          FormatDuration(loaded_.config.policy.report_max_age), ")"));
    } else if (reports.quiet >= loaded_.config.policy.idle_interval) {
      Fault(StrCat(
          "[bridge] report-quiet = ", FormatDuration(reports.quiet),
          ": a step of rule 8 would be judged before its guest was heard; write less than idle-interval in "
          "[policy] (now ",
          FormatDuration(loaded_.config.policy.idle_interval), ")"));
    }
    if (reports.pressed <= reports.armed && reports.armed <= reports.quiet) return;
    std::string where = "[bridge]";
    for (const auto& [key, line] : bridge_settings_) {
      if (key.starts_with("report-")) where = StrCat(TextOf(line.at), ": [bridge] ", key, " = ", line.value);
    }
    Fault(StrCat(where,
                 ": a more urgent report would come less often; write report-pressed <= report-armed <= "
                 "report-quiet (now ",
                 FormatDuration(reports.pressed), ", ", FormatDuration(reports.armed), ", ",
                 FormatDuration(reports.quiet), ")"));
  }

  // The policy knows the ranges of its numbers; here its names and values become the operator's.
  void CheckPolicy() {
    for (const std::string& fault : loaded_.config.policy.Validate()) {
      const size_t colon = std::min(fault.find(':'), fault.size());
      const auto* key = PolicyKeyOf(fault.substr(0, colon));
      if (key == nullptr) {
        Fault(StrCat("[policy]: ", fault));
        continue;
      }
      const auto set = policy_settings_.find(key->name);
      const std::string rest = InOperatorsWords(fault.substr(colon));
      Fault(set == policy_settings_.end()
                ? StrCat("[policy] ", key->name, " = ", key->write(loaded_.config.policy), " (default)", rest)
                : StrCat(TextOf(set->second.at), ": [policy] ", key->name, " = ", set->second.value, rest));
    }
  }

  // A field named at the end of the policy's sentence becomes "key (value, where it was set)".
  [[nodiscard]] std::string InOperatorsWords(std::string_view sentence) const {
    const size_t last_word = sentence.rfind(' ') + 1;
    const auto* key = PolicyKeyOf(sentence.substr(last_word));
    if (key == nullptr) return std::string(sentence);
    const auto set = policy_settings_.find(key->name);
    return StrCat(sentence.substr(0, last_word), key->name, " (", key->write(loaded_.config.policy),
                  set == policy_settings_.end() ? "" : ", " + TextOf(set->second.at), ")");
  }

  Loaded loaded_;
  Settings bridge_settings_;
  Settings policy_settings_;
  std::vector<Draft> drafts_;
};

}  // namespace

Loaded Interpret(const std::vector<ConfigText>& texts) { return Interpreter().Run(texts); }

}  // namespace ballast::config
