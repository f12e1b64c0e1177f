// A queue between a thread that must never wait and one that writes to a disk: what does not fit is counted
// and dropped.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace ballast::journal {

template <typename T>
class DropQueue {
 public:
  // `max_cost`: what may wait in sum, by the caller's own measure. One item always fits into an empty queue.
  explicit DropQueue(int64_t max_cost) : max_cost_(max_cost) {}

  struct Batch {
    std::vector<T> items;
    uint64_t dropped = 0;  // since the last batch; they would have come after these items
    bool closed = false;
  };

  // False: dropped. Takes a lock that is held for a few instructions only, and wakes the taker when half is
  // full.
  bool Push(T item, int64_t cost) {
    bool urgent = false;
    {
      const std::lock_guard lock(mutex_);
      if (!items_.empty() && cost_ + cost > max_cost_) {
        ++dropped_;
        return false;
      }
      // What comes after a loss waits until the loss has been noted, or the order would be lost too.
      if (dropped_ > 0) {
        ++dropped_;
        return false;
      }
      items_.push_back(std::move(item));
      cost_ += cost;
      urgent = cost_ >= max_cost_ / 2;
    }
    if (urgent) wakeup_.notify_one();
    return true;
  }

  // All there is, at the latest after `wait`, sooner when much is waiting or the queue was closed.
  [[nodiscard]] Batch Take(std::chrono::milliseconds wait) {
    std::unique_lock lock(mutex_);
    wakeup_.wait_for(lock, wait, [this] { return closed_ || cost_ >= max_cost_ / 2; });
    cost_ = 0;
    return {std::exchange(items_, {}), std::exchange(dropped_, 0), closed_};
  }

  void Close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    wakeup_.notify_one();
  }

 private:
  const int64_t max_cost_;
  std::mutex mutex_;
  std::condition_variable wakeup_;
  std::vector<T> items_;
  int64_t cost_ = 0;
  uint64_t dropped_ = 0;
  bool closed_ = false;
};

}  // namespace ballast::journal
