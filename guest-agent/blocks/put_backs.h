// What was taken offline for somebody who may never unplug it, and when it comes back. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

#include "common/base/time.h"

namespace ballast::agent {

class PutBacks {
 public:
  // Into which zone each block comes back: true for Movable, false for the kernel's.
  using Zones = std::map<int64_t, bool>;

  // Replaces an earlier one.
  void Set(int64_t number, bool movable, MonotonicTime at);
  void Forget(int64_t number);
  // They are forgotten with it.
  [[nodiscard]] Zones TakeDue(MonotonicTime now);
  [[nodiscard]] Zones TakeAll();
  // When TakeDue has something; absent: there are none.
  [[nodiscard]] std::optional<MonotonicTime> Next() const;

 private:
  struct PutBack {
    bool movable = false;
    MonotonicTime at;
  };
  mutable std::mutex mutex_;
  std::map<int64_t, PutBack> put_backs_;
};

}  // namespace ballast::agent
