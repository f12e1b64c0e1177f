// One bell for the control thread: whoever has urgent news rings it.
#pragma once

#include <condition_variable>
#include <mutex>

#include "common/base/time.h"

namespace ballast::control {

class Wakeup {
 public:
  void Ring() {
    {
      std::lock_guard lock(mutex_);
      rung_ = true;
    }
    bell_.notify_one();
  }

  // Returns when rung (since the last return) or after `span`.
  void Wait(Nanos span) {
    std::unique_lock lock(mutex_);
    bell_.wait_for(lock, std::chrono::nanoseconds(span.count), [this] { return rung_; });
    rung_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable bell_;
  bool rung_ = false;
};

}  // namespace ballast::control
