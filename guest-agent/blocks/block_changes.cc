#include "guest-agent/blocks/block_changes.h"

#include <algorithm>
#include <utility>

namespace ballast::agent {
namespace {

// A roll-back of the kernel looks like a change until then; who never pauses is told of all the same.
constexpr Nanos kQuiet = Milliseconds(100);
constexpr Nanos kLongestUnrest = Seconds(2);

}  // namespace

void BlockChanges::Mark(int64_t number, MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  last_ = now;
  if (numbers_.empty()) first_ = now;
  if (numbers_.empty() || numbers_.back() != number) numbers_.push_back(number);
}

std::vector<int64_t> BlockChanges::TakeSettled(MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  if (numbers_.empty() || now < SettledAt()) return {};
  return std::exchange(numbers_, {});
}

std::optional<MonotonicTime> BlockChanges::Next() const {
  const std::lock_guard lock(mutex_);
  return numbers_.empty() ? std::nullopt : std::make_optional(SettledAt());
}

MonotonicTime BlockChanges::SettledAt() const { return std::min(last_ + kQuiet, first_ + kLongestUnrest); }

}  // namespace ballast::agent
