// The last verdicts, for watchers that come later.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>

#include "guest-agent/oom/verdict_plan.h"

namespace ballast::agent {

// Thread-safe. Allocates nothing.
class VerdictLog {
 public:
  static constexpr size_t kKept = 64;

  // Ids rise from one to the next. The oldest makes room.
  void Add(const OomVerdict& verdict);
  // Each kept one with a larger id, oldest first, marked as late.
  void VisitAfter(uint64_t id, const std::function<void(const OomVerdict&)>& visit) const;

 private:
  mutable std::mutex mutex_;
  std::array<OomVerdict, kKept> verdicts_;
  size_t count_ = 0;  // ever
};

}  // namespace ballast::agent
