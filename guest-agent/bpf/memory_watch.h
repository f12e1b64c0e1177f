// Looks at what memory is left while the agent sleeps, and wakes it.
#pragma once

#include <cstdint>
#include <optional>

#include "common/base/time.h"

namespace ballast::agent {

// What is "left" is free memory, page cache and reclaimable slab: what MemAvailable is mostly made of.
struct WatchOrder {
  Nanos look_every;
  int64_t left_bytes = 0;  // at present
  // Wake when it is less by more than `fall_bytes`, or more by more than `rise_bytes`, or when tasks
  // reclaimed for themselves for more than `stall_us` (where that is seen).
  int64_t fall_bytes = 0;
  int64_t rise_bytes = 0;
  int64_t stall_us = 0;

  friend bool operator==(const WatchOrder&, const WatchOrder&) = default;
};

// Used by one thread. Allocates nothing.
class MemoryWatch {
 public:
  struct CalmLook {
    MonotonicTime at;
    int64_t left_bytes = 0;
  };

  virtual ~MemoryWatch() = default;

  // Readable from when it found what it was to wake for, until the next Watch or Relax.
  [[nodiscard]] virtual int Fd() const = 0;
  // Takes the place of the order before. False: it cannot be relied on yet, since its next look is farther
  // away than `look_every` and a little; ask again later.
  [[nodiscard]] virtual bool Watch(const WatchOrder& order, MonotonicTime now) = 0;
  // It wakes nobody any more, and looks this often until the next order.
  virtual void Relax(Nanos look_every) = 0;
  // Its last look under the present order, or the one that was fulfilled, that found nothing; nothing when
  // there was none.
  [[nodiscard]] virtual std::optional<CalmLook> LastCalmLook() const = 0;
};

}  // namespace ballast::agent
