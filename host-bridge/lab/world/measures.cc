#include <algorithm>
#include <limits>

#include "host-bridge/lab/world/run.h"

namespace ballast::sim {
namespace {

// The sum, or the most that the type holds.
void AddUpTo(Nanos& sum, Nanos more) {
  if (__builtin_add_overflow(sum.count, more.count, &sum.count))
    sum.count = std::numeric_limits<int64_t>::max();
}

}  // namespace

Measures& Measures::operator+=(const Measures& other) {
  guest_oom_kills += other.guest_oom_kills;
  kills_with_headroom += other.kills_with_headroom;
  host_oom_kills += other.host_oom_kills;
  AddUpTo(guest_time, other.guest_time);
  AddUpTo(starved, other.starved);
  AddUpTo(starved_by_us, other.starved_by_us);
  AddUpTo(stalled, other.stalled);
  AddUpTo(host_swapping, other.host_swapping);
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
