// How long to wait before the next attempt to reach a VMM. Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "common/base/time.h"

namespace ballast::vmm::qmp {

struct BackoffLimits {
  Nanos first = Milliseconds(100);
  Nanos longest = Seconds(5);
};

// Doubles with every failed attempt (0, 1, 2...) up to the limit; of that between 75 and 100 %, fixed by name
// and attempt, so that a thousand VMs that went together do not come back together.
constexpr Nanos BackoffDelay(std::string_view name, uint32_t attempt, BackoffLimits limits) {
  constexpr uint32_t kMaxDoublings = 20;
  Nanos delay = limits.first;
  for (uint32_t i = 0; i < std::min(attempt, kMaxDoublings) && delay < limits.longest; ++i) delay = delay * 2;
  delay = std::min(delay, limits.longest);
  uint64_t hash = 14695981039346656037u;  // FNV-1a: the same everywhere, unlike std::hash
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  hash = (hash ^ attempt) * 1099511628211u;
  const auto permille = static_cast<int64_t>(750 + (hash >> 32) % 251);
  return delay / 1000 * permille;
}

}  // namespace ballast::vmm::qmp
