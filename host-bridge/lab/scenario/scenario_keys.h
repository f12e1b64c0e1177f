// The keys of a scenario file's sections as data, beside those of the workloads (workload_kind.h) and of the
// policy (host-bridge/config).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host-bridge/config/config_keys.h"
#include "host-bridge/lab/scenario/scenario_spec.h"

namespace ballast::sim {

// An [event NAME] as written; what its words mean depends on each other.
struct EventDraft {
  std::string guest;  // NAME, NAME-2 or host
  std::string kind;
  Nanos at;
  Nanos length;
  std::optional<Nanos> every;
  Nanos over;
  std::optional<int64_t> value;
};

[[nodiscard]] const std::vector<config::Key<ScenarioSpec>>& HeadKeys();  // [scenario]
[[nodiscard]] const std::vector<config::Key<HostPlan>>& HostKeys();      // [host]
[[nodiscard]] const std::vector<config::Key<GuestGroup>>& GroupKeys();   // [guests NAME], `workload` apart
[[nodiscard]] const std::vector<config::Key<EventDraft>>& EventKeys();   // [event NAME]

// The words of an event's `kind`, and what each asks for.
struct GuestEventWord {
  std::string_view word;
  GuestEvent::Kind kind;
  bool has_length;  // false: it happens at an instant
  bool has_value;
};
struct HostEventWord {
  std::string_view word;
  HostEvent::Kind kind;
  bool has_value;
};
[[nodiscard]] const std::vector<GuestEventWord>& GuestEventWords();
[[nodiscard]] const std::vector<HostEventWord>& HostEventWords();

}  // namespace ballast::sim
