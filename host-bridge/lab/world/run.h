// Runs one world under one controller in virtual time and measures what happened.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/time.h"
#include "host-bridge/lab/scenario/planned_world.h"
#include "host-bridge/lab/world/controller.h"

namespace ballast::sim {

// What a run comes to. Times are guest time (two guests for a second are two seconds).
struct Measures {
  int64_t guest_oom_kills = 0;
  int64_t kills_with_headroom = 0;  // of these, with the missing memory free on the host above its reserve
  int64_t host_oom_kills = 0;       // VMs killed by the host's kernel
  Nanos guest_time;
  Nanos starved;        // MemAvailable below 2 % of usable memory
  Nanos starved_by_us;  // the balloon held what was missing, and the host had it above its reserve
  Nanos stalled;        // PSI memory "some", integrated
  Nanos host_swapping;  // the host's memory did not suffice (host time)
  double resident_byte_seconds = 0;  // VMMs' guest memory
  double used_byte_seconds = 0;      // guests' memory in use, page cache included
  int64_t host_peak_bytes = 0;       // most memory of the host in use
  int64_t reversals = 0;  // target moved > 64 MiB against a move of > 64 MiB less than 10 min before
  int64_t bytes_taken = 0;
  int64_t bytes_given = 0;
  int64_t commands = 0;

  [[nodiscard]] double residency_amplification() const {
    return used_byte_seconds > 0 ? resident_byte_seconds / used_byte_seconds : 0;
  }
  Measures& operator+=(const Measures& other);  // peaks: the larger one
};

// For the chart: the world at an instant. Bytes.
struct Sample {
  Nanos at;
  int64_t host_used = 0;
  int64_t guests_size = 0;  // sum of base - balloon
  int64_t guests_resident = 0;
  int64_t guests_used = 0;      // page cache included
  int32_t stall_permyriad = 0;  // mean over guests
  int32_t host_some_permyriad = 0;
  int64_t commands = 0;             // since the sample before
  int64_t oom_kills = 0;            // likewise
  std::vector<int64_t> guest_size;  // the first few guests, for lines of their own
  std::vector<int64_t> guest_used;
};

struct RunResult {
  Measures measures;
  std::vector<Sample> samples;   // empty unless asked for
  std::vector<std::string> log;  // decisions in words, where the controller explains itself; bounded
};

struct RunOptions {
  Nanos sample_every;       // zero: none
  size_t drawn_guests = 4;  // with lines of their own
};

[[nodiscard]] RunResult Run(const WorldPlan& plan, const ControllerKind& controller,
                            const RunOptions& options = {});

}  // namespace ballast::sim
