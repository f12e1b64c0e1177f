// A storm of allocators that holds a guest at nothing, and what its agent's watcher saw of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/lab/agent_watch.h"
#include "tests/lab/guest.h"

namespace ballast::lab {

// One that the storm's six processes want nearly twice of, zram included.
[[nodiscard]] GuestOptions StormGuest(const std::string& name);

struct StormOutcome {
  size_t reports = 0;           // of the storm's time, from the first critical one on
  absl::Duration longest_gap;   // between their arrivals, and from the last one to the storm's end
  absl::Duration longest_look;  // between samples, by the guest's clock
  int64_t median_available_bytes = 0;
  int64_t critical_bytes = 0;  // the threshold that is critical
  bool watched = false;        // to the end: the agent did not let the watcher go
  std::string agent_pids;      // at the beginning
  bool same_agent = false;     // alive, and never restarted
  std::vector<guest::v1::OomVerdict> verdicts;
  std::string storm;  // what it said at the end
};

// An error also when the storm left the guest enough.
[[nodiscard]] absl::StatusOr<StormOutcome> WeatherStorm(Guest& guest, absl::Duration length);

}  // namespace ballast::lab
