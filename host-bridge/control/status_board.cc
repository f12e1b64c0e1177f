#include "host-bridge/control/status_board.h"

#include <chrono>
#include <utility>

namespace ballast::control {

void StatusBoard::Show(size_t index, GuestStatus status) {
  {
    const std::lock_guard lock(mutex_);
    if (entries_.size() <= index) entries_.resize(index + 1);
    Entry& entry = entries_[index];
    if (entry.version > 0 && entry.status == status) return;
    entry = {++version_, std::move(status)};
  }
  changed_.notify_all();
}

StatusBoard::View StatusBoard::Look(uint64_t seen) const {
  const std::lock_guard lock(mutex_);
  View view{.version = version_};
  for (const Entry& entry : entries_) {
    if (entry.version > seen) view.guests.push_back(entry.status);
  }
  return view;
}

void StatusBoard::Await(uint64_t seen, Nanos most) const {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::nanoseconds(most.count), [&] { return closed_ || version_ > seen; });
}

void StatusBoard::Close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

bool StatusBoard::IsClosed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

}  // namespace ballast::control
