// What passes between the sampling thread and a watcher's stream, without wire types.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/time.h"
#include "guest-agent/sensors/machine_facts.h"
#include "guest-agent/sensors/sampler.h"
#include "guest-agent/sensors/sensors.h"
#include "guest-agent/survival/survival.h"

namespace ballast::agent {

// Who this agent is; told in GetInfo and in every hello.
struct AgentIdentity {
  std::string version;
  uint64_t generation = 0;  // changes with every start
  MachineFacts machine;
  std::vector<Capability> capabilities;
  std::vector<SelfCheck> self_checks;
};

// What one watcher asked for, defaults filled in.
struct WatchSettings {
  Thresholds thresholds;
  Cadence cadence;

  friend bool operator==(const WatchSettings&, const WatchSettings&) = default;
};

struct ReportFacts {
  Readings readings;
  Derived derived;
};

enum class EventKind : uint8_t { kOomKill, kPressureTrigger, kBalloonShrank };

struct EventFacts {
  EventKind kind = EventKind::kOomKill;
  MonotonicTime at;
  int64_t first = 0;   // kOomKill: kills; kPressureTrigger: threshold in us; kBalloonShrank: bytes
  int64_t second = 0;  // kOomKill: total; kPressureTrigger: window in us
};

}  // namespace ballast::agent
