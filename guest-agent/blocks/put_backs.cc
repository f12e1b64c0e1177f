#include "guest-agent/blocks/put_backs.h"

#include <algorithm>
#include <iterator>

namespace ballast::agent {

void PutBacks::Set(int64_t number, bool movable, MonotonicTime at) {
  const std::lock_guard lock(mutex_);
  put_backs_[number] = {movable, at};
}

void PutBacks::Forget(int64_t number) {
  const std::lock_guard lock(mutex_);
  put_backs_.erase(number);
}

PutBacks::Zones PutBacks::TakeDue(MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  Zones due;
  for (auto one = put_backs_.begin(); one != put_backs_.end();) {
    const bool is_due = one->second.at <= now;
    if (is_due) due[one->first] = one->second.movable;
    one = is_due ? put_backs_.erase(one) : std::next(one);
  }
  return due;
}

PutBacks::Zones PutBacks::TakeAll() {
  const std::lock_guard lock(mutex_);
  Zones all;
  for (const auto& [number, put_back] : put_backs_) all[number] = put_back.movable;
  put_backs_.clear();
  return all;
}

std::optional<MonotonicTime> PutBacks::Next() const {
  const std::lock_guard lock(mutex_);
  std::optional<MonotonicTime> next;
  for (const auto& [number, put_back] : put_backs_) next = std::min(next.value_or(put_back.at), put_back.at);
  return next;
}

}  // namespace ballast::agent
