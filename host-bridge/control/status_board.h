// Where the control thread shows how the guests are, and operators' calls look. Showing never waits for those
// who look.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

#include "common/base/time.h"
#include "host-bridge/control/guest_status.h"

namespace ballast::control {

class StatusBoard {
 public:
  struct View {
    uint64_t version = 0;                  // what Look and Await take for `seen`
    std::vector<GuestStatus> guests = {};  // in the configuration's order
  };

  // Control thread: how the guest at `index` is now. Nothing happens when that is as it was.
  void Show(size_t index, GuestStatus status);
  // The guests that changed since version `seen`; 0: all.
  [[nodiscard]] View Look(uint64_t seen) const;
  // Returns when something changed since `seen`, after `most`, or when Close was called.
  void Await(uint64_t seen, Nanos most) const;
  // Whoever waits returns at once, now and later.
  void Close();
  [[nodiscard]] bool IsClosed() const;

 private:
  struct Entry {
    uint64_t version = 0;  // 0: never shown
    GuestStatus status;
  };
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<Entry> entries_;
  uint64_t version_ = 0;
  bool closed_ = false;
};

}  // namespace ballast::control
