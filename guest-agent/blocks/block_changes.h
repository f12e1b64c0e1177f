// Which blocks have changed since it was last told, and whether that has settled. Thread-safe; it is told the
// time.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "common/base/time.h"

namespace ballast::agent {

class BlockChanges {
 public:
  void Mark(int64_t number, MonotonicTime now);
  // What was marked, once nothing more was for 100 ms, or after 2 s of it; else nothing.
  [[nodiscard]] std::vector<int64_t> TakeSettled(MonotonicTime now);
  // When that has something; absent: nothing was marked.
  [[nodiscard]] std::optional<MonotonicTime> Next() const;

 private:
  [[nodiscard]] MonotonicTime SettledAt() const;

  mutable std::mutex mutex_;
  std::vector<int64_t> numbers_;
  MonotonicTime first_{};
  MonotonicTime last_{};
};

}  // namespace ballast::agent
