// A world ready to run: what a scenario file and a seed were turned into. Plain values and workload
// factories.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/time.h"
#include "host-bridge/lab/model/device.h"
#include "host-bridge/lab/model/workload.h"
#include "host-bridge/policy/policy_config.h"
#include "host-bridge/policy/snapshot.h"

namespace ballast::sim {

// Something that happens to one guest, its agent or its VMM. Each lasts from `at` for `length`.
struct GuestEvent {
  enum class Kind : uint8_t {
    kPause,        // the VM is stopped, and runs on afterwards
    kReset,        // at `at` the guest boots anew: memory empty, balloon empty, target survives in the device
    kAgentSilent,  // the agent reports nothing
    kAgentLies,    // the agent reports `value` bytes as MemAvailable (clamped to MemTotal)
    kStatsSentinel,   // balloon statistics and reports read 2^64-1
    kVmmSilent,       // the VMM answers nothing and obeys nothing
    kBalloonStuck,    // the driver moves no page
    kBalloonPartial,  // relief stops half way: of each deflation only half arrives
  };
  Kind kind = Kind::kPause;
  Nanos at;
  Nanos length;
  int64_t value = 0;

  friend bool operator==(const GuestEvent&, const GuestEvent&) = default;
};

struct HostEvent {
  enum class Kind : uint8_t {
    kSleep,     // the host suspends at `at`; on its own clock no time passes, guests' clocks jump by `length`
    kPressure,  // other processes hold `value` bytes more from `at` for `length`
  };
  Kind kind = Kind::kPressure;
  Nanos at;
  Nanos length;
  int64_t value = 0;

  friend bool operator==(const HostEvent&, const HostEvent&) = default;
};

struct GuestPlan {
  policy::GuestLimits limits;  // limits.name is unique in the world
  int64_t boot_bytes = kGiB;
  int64_t zram_bytes = 0;  // disk size of the zram swap; 0: none
  int32_t swaps_early_permyriad = 0;
  DeviceSpec device;  // deflate-on-oom and free page reporting are the controller's choice (DeviceChoice)
  WorkloadFactory workload;
  Nanos starts_at;  // boots then
  std::vector<GuestEvent> events;
};

struct HostPlan {
  int64_t total_bytes = 64 * kGiB;
  int64_t others_bytes = 2 * kGiB;  // the host's own processes
  int64_t swap_bytes = 0;
  int64_t vmm_overhead_bytes = 32 * kMiB;  // per guest, beside guest memory
  std::vector<HostEvent> events;
};

struct WorldPlan {
  std::string scenario;
  uint64_t seed = 0;
  Nanos length;
  HostPlan host;
  std::vector<GuestPlan> guests;
  policy::PolicyConfig policy;  // for Ballast
};

}  // namespace ballast::sim
