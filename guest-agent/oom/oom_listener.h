// What the watch on OOM kills tells, as it happens.
#pragma once

#include <cstdint>

#include "common/base/time.h"
#include "guest-agent/oom/verdict_plan.h"

namespace ballast::agent {

// The kernel has begun to look for a victim.
struct OomBegins {
  MonotonicTime at;
  bool cgroup = false;  // a cgroup's limit, not the guest
  int32_t order = 0;
  uint32_t gfp_mask = 0;

  friend bool operator==(const OomBegins&, const OomBegins&) = default;
};

// A task spent long in reclaim before it got memory.
struct ReclaimStall {
  MonotonicTime at;  // its end
  int64_t duration_us = 0;
  int32_t pid = 0;
  Comm comm;

  friend bool operator==(const ReclaimStall&, const ReclaimStall&) = default;
};

// Called by the watch's own thread.
class OomListener {
 public:
  virtual ~OomListener() = default;
  virtual void OnVerdict(const OomVerdict& verdict) = 0;
  virtual void OnOomBegins(const OomBegins& begins) = 0;
  virtual void OnReclaimStall(const ReclaimStall& stall) = 0;
};

}  // namespace ballast::agent
