// A small guest that grows far beyond its boot memory, in steps of the room that its agent sees for metadata.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "tests/lab/agent_watch.h"
#include "tests/lab/hotplug_guest.h"

namespace ballast::lab {

// The smallest guest that boots here; its second block is a quarter full.
inline constexpr int64_t kSmallMib = 160;
inline constexpr int64_t kSmallBlocks = 2;
// Until it has 32 times as much.
inline constexpr int64_t kMoreBlocks = 39;

[[nodiscard]] GuestOptions SmallGuest();

struct Growth {
  int64_t blocks = 0;  // that were plugged and came online
  int steps = 0;
  int64_t oom_kills = 0;
  // Of boot memory and what came online, to boot memory.
  [[nodiscard]] double Factor() const {
    return static_cast<double>(kSmallMib + blocks * 128) / static_cast<double>(kSmallMib);
  }
};

// Plugs DIMMs until kMoreBlocks are online. An error when there is no room for another, or one does not come
// online.
[[nodiscard]] absl::StatusOr<Growth> GrowInSteps(Guest& guest, HotplugGuest& blocks, AgentWatch& watch);

}  // namespace ballast::lab
