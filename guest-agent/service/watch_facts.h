// What passes between the sampling thread and a watcher's stream, without wire types.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/base/time.h"
#include "guest-agent/ask/memory_request.h"
#include "guest-agent/blocks/block_table.h"
#include "guest-agent/blocks/hotplug_facts.h"
#include "guest-agent/bpf/stall_counts.h"
#include "guest-agent/oom/oom_listener.h"
#include "guest-agent/oom/signal_source.h"
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
  std::vector<SignalSource> sources;
  std::vector<SelfCheck> self_checks;
  std::optional<HotplugFacts> hotplug{};  // absent: this kernel has no memory blocks
};

// What one watcher asked for, defaults filled in.
struct WatchSettings {
  Thresholds thresholds;
  Cadence cadence;
  // The last verdict it knows, of which start of the agent; 0: none.
  uint64_t known_verdict_id = 0;
  uint64_t known_verdict_generation = 0;

  friend bool operator==(const WatchSettings&, const WatchSettings&) = default;
};

// The sums over the memory blocks, and what it takes to say how much more there is room for.
struct BlockFacts {
  BlockSums sums;
  bool memmap_on_memory = false;  // see HotplugFacts
};

struct ReportFacts {
  Readings readings;
  Derived derived;
  // As the kernel's programs measured them; absent: none runs, and the counter in the readings has to do.
  std::optional<StallCounts> reclaim_stalls{};
  std::optional<BlockFacts> blocks{};  // absent: this kernel has no memory blocks
};

// What an event tells, one struct a kind. They are copied into every watcher's queue: a copy allocates
// nothing.
struct OomKills {
  int64_t kills = 0;  // since the last such event
  int64_t total = 0;  // since boot
};

struct PressureTriggered {
  int64_t threshold_us = 0;
  int64_t window_us = 0;
};

struct BalloonShrank {
  int64_t bytes = 0;
};

struct BlocksChanged {
  std::shared_ptr<const std::vector<BlockRange>> ranges;  // never null; by number
};

struct EventFacts {
  MonotonicTime at;
  std::variant<OomKills, PressureTriggered, BalloonShrank, OomVerdict, OomBegins, ReclaimStall,
               MemoryRequested, BlocksChanged>
      what;
};

}  // namespace ballast::agent
