#include "host-bridge/control/resize.h"

#include <chrono>
#include <utility>

namespace ballast::control {

void ResizeTicket::Tell(ResizeNews news) {
  {
    const std::lock_guard lock(mutex_);
    const bool progress = std::holds_alternative<ResizeProgress>(news);
    if (progress && !news_.empty() && std::holds_alternative<ResizeProgress>(news_.back())) news_.pop_back();
    news_.push_back(std::move(news));
  }
  told_.notify_all();
}

std::optional<ResizeNews> ResizeTicket::Next(Nanos most) {
  std::unique_lock lock(mutex_);
  told_.wait_for(lock, std::chrono::nanoseconds(most.count), [&] { return !news_.empty(); });
  if (news_.empty()) return std::nullopt;
  ResizeNews news = std::move(news_.front());
  news_.pop_front();
  return news;
}

bool ResizeBox::Put(std::shared_ptr<ResizeTicket> ticket) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= kMost) return false;
  waiting_.push_back(std::move(ticket));
  return true;
}

std::vector<std::shared_ptr<ResizeTicket>> ResizeBox::Take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(waiting_, {});
}

}  // namespace ballast::control
