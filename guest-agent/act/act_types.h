// What the four acts are asked for, and what they answer; without wire types.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/base/time.h"
#include "guest-agent/act/zram_profile_plan.h"

namespace ballast::agent {

// Why an act ended.
enum class Stop : uint8_t { kDone = 1, kExhausted, kPressure, kDeadline, kCancelled };

// What bounds one act.
struct Bounds {
  Nanos within = Seconds(30);
  int32_t brake_permyriad = 100;      // 1..10000; stalls of more than this share of 100 ms stop it
  std::function<bool()> cancelled{};  // may be empty
};

struct ReclaimWish {
  int64_t bytes = 0;   // 1..2^50
  std::string cgroup;  // "/system.slice"; empty: the whole guest
  bool cache_only = false;
};

struct ReclaimResult {
  int64_t reclaimed_bytes = 0;
  int64_t available_change_bytes = 0;
  Stop stop = Stop::kDone;
  std::string method;
  Nanos took;
};

struct CompactResult {
  int64_t free_blocks_before = 0;
  int64_t free_blocks_after = 0;
  int64_t block_bytes = 0;
  Stop stop = Stop::kDone;
  Nanos took;
};

struct ZramResult {
  ZramState device;  // as it is now
  int64_t freed_bytes = 0;
  std::vector<std::string> done;
  std::vector<std::string> skipped;
  Stop stop = Stop::kDone;
};

struct SwappinessResult {
  int32_t before = 0;
  int32_t after = 0;
};

}  // namespace ballast::agent
