// What an operator may see of a guest, as the control thread last saw it. Values only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/sampled.h"
#include "common/base/time.h"
#include "common/base/units.h"
#include "host-bridge/policy/snapshot.h"
#include "host-bridge/vmm/memory_devices.h"

namespace ballast::control {

struct PluggedStatus {
  int64_t plugged_bytes = 0;
  int64_t requested_bytes = 0;
  int64_t most_bytes = 0;
  int64_t unit_bytes = 0;
  std::optional<int64_t> offline_bytes = {};
  std::vector<vmm::MemoryDevice> devices = {};
  bool changing = false;

  friend bool operator==(const PluggedStatus&, const PluggedStatus&) = default;
};

struct SizeStatus {
  int64_t size_bytes = 0;
  int64_t boot_bytes = 0;
  int64_t balloon_bytes = 0;
  bool running = false;
  std::optional<PluggedStatus> plugged = {};

  friend bool operator==(const SizeStatus&, const SizeStatus&) = default;
};

struct GuestStatus {
  std::string name;
  policy::Mode mode = policy::Mode::kFull;
  policy::GuestState state = policy::GuestState::kSilent;
  std::optional<SizeStatus> vmm = {};  // absent: the VMM does not answer
  std::optional<int64_t> balloon_target_bytes = {};
  int64_t total_bytes = 0;
  int64_t available_bytes = 0;
  std::optional<MonotonicTime> reported_at = {};  // absent: total and available are not known
  std::string last_decision = {};
  std::optional<MonotonicTime> decided_at = {};
  std::string hold = {};

  friend bool operator==(const GuestStatus&, const GuestStatus&) = default;
};

class PlugDesk;

// What the facts and the desk say; the words of decisions are the loop's.
[[nodiscard]] GuestStatus StatusOf(const policy::GuestFacts& facts, const PlugDesk& desk);

}  // namespace ballast::control
