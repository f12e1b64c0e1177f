#include "guest-agent/blocks/online_turns.h"

#include <algorithm>

namespace ballast::agent {
namespace {

// The kernel adds all blocks of a device before it brings the first online, then one after the other.
constexpr Nanos kKernelsTurn = Milliseconds(300);
constexpr Nanos kFirstRetry = Seconds(1);
constexpr Nanos kLastRetry = Seconds(60);

}  // namespace

void OnlineTurns::LeaveToKernel(int64_t number, bool online, MonotonicTime now) {
  kernel_until_ = now + kKernelsTurn;
  if (online) {
    arrived_.insert(number);
  } else {
    turns_[number] = {.kernels = true};
  }
}

void OnlineTurns::IsOnline(int64_t number, MonotonicTime now) {
  const auto turn = turns_.find(number);
  if (turn == turns_.end()) return;
  if (turn->second.kernels) {
    arrived_.insert(number);
    kernel_until_ = now + kKernelsTurn;
  }
  turns_.erase(turn);
}

bool OnlineTurns::Failed(int64_t number, MonotonicTime now) {
  Turn& turn = turns_[number];
  const bool first = turn.wait == Nanos{};
  const Nanos wait = first ? kFirstRetry : std::min(turn.wait * 2, kLastRetry);
  turn = {.at = now + wait, .wait = wait};
  return first;
}

void OnlineTurns::Forget(int64_t number) {
  turns_.erase(number);
  arrived_.erase(number);
}

MonotonicTime OnlineTurns::TimeOf(const Turn& turn) const {
  return turn.kernels ? std::max(turn.at, kernel_until_) : turn.at;
}

std::vector<int64_t> OnlineTurns::Due(MonotonicTime now) const {
  std::vector<int64_t> due;
  for (const auto& [number, turn] : turns_) {
    if (TimeOf(turn) <= now) due.push_back(number);
  }
  return due;
}

bool OnlineTurns::AwaitsKernel(MonotonicTime now) const {
  return now < kernel_until_ &&
         std::any_of(turns_.begin(), turns_.end(), [](const auto& one) { return one.second.kernels; });
}

std::vector<int64_t> OnlineTurns::TakeArrived() {
  const std::vector<int64_t> arrived(arrived_.begin(), arrived_.end());
  arrived_.clear();
  return arrived;
}

std::optional<MonotonicTime> OnlineTurns::Next() const {
  std::optional<MonotonicTime> next;
  if (!arrived_.empty()) next = kernel_until_;
  for (const auto& [number, turn] : turns_) next = std::min(next.value_or(TimeOf(turn)), TimeOf(turn));
  return next;
}

}  // namespace ballast::agent
