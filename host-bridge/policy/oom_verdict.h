// What a guest's agent found out about an OOM kill. No decision is made from it: it is counted, logged and
// recorded, for people to see whose shortage it was and what would have helped.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/maybe.h"
#include "common/base/time.h"

namespace ballast::policy {

// Larger = more precise.
enum class OomSource : uint8_t { kUnknown, kCounters, kKernelLog, kBpf };
// Whose shortage it was.
enum class OomScope : uint8_t { kUnknown, kGuest, kCgroup, kHost };
enum class OomConstraint : uint8_t { kUnknown, kNone, kCpuset, kMemoryPolicy, kMemcg };

// Texts are cut and hold printable ASCII alone; they come from the guest and may say anything.
struct OomVerdict {
  size_t guest = 0;        // index into Snapshot::guests
  MonotonicTime heard_at;  // host
  int64_t id = 0;          // of the agent's generation, from 1
  int64_t generation = 0;
  OomSource source = OomSource::kUnknown;
  OomScope scope = OomScope::kUnknown;
  OomConstraint constraint = OomConstraint::kUnknown;
  std::string advice;
  int32_t pid = 0;  // the victim's; 0: unknown
  std::string comm;
  std::string cgroup;
  std::string limit_cgroup;  // whose limit it was; empty: the guest's
  std::string asker_comm;    // whose allocation failed
  int32_t order = 0;         // of the allocation; -1: an operator asked for the kill
  int64_t anon_bytes = 0;    // the victim's
  int64_t file_bytes = 0;
  int64_t shmem_bytes = 0;
  Maybe<int64_t> available_bytes = {};  // the guest's at that moment
  Maybe<int64_t> balloon_bytes = {};
  bool kernel_zones_short = false;
  bool late = false;  // it happened while nobody watched
  int64_t kills = 1;  // more than one: only counters saw them

  friend bool operator==(const OomVerdict&, const OomVerdict&) = default;
};

[[nodiscard]] const char* NameOf(OomScope scope);  // "guest", "cgroup", "host", "unknown"

// One line for people: who was killed, whose shortage it was, and what the agent advises.
[[nodiscard]] std::string Explain(const OomVerdict& verdict, const std::string& guest_name);

}  // namespace ballast::policy
