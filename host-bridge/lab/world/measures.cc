#include <algorithm>

#include "host-bridge/lab/world/run.h"

namespace ballast::sim {

Measures& Measures::operator+=(const Measures& other) {
  guest_oom_kills += other.guest_oom_kills;
  kills_with_headroom += other.kills_with_headroom;
  host_oom_kills += other.host_oom_kills;
  guest_time = guest_time + other.guest_time;
  starved = starved + other.starved;
  starved_by_us = starved_by_us + other.starved_by_us;
  stalled = stalled + other.stalled;
  host_swapping = host_swapping + other.host_swapping;
  resident_byte_seconds += other.resident_byte_seconds;
  used_byte_seconds += other.used_byte_seconds;
  host_peak_bytes = std::max(host_peak_bytes, other.host_peak_bytes);
  reversals += other.reversals;
  bytes_taken += other.bytes_taken;
  bytes_given += other.bytes_given;
  commands += other.commands;
  return *this;
}

}  // namespace ballast::sim
