// How every call that takes something from the guest begins: it has its turn alone, and the guest is looked
// at before anything is done.
#pragma once

#include <atomic>
#include <functional>
#include <string_view>

#include "absl/status/status.h"
#include "common/os/clock.h"
#include "guest-agent/act/brake.h"

namespace ballast::agent {

// Held while the call lasts; `busy` must outlive it.
class Turn {
 public:
  explicit Turn(std::atomic<bool>& busy) : busy_(busy), mine_(!busy.exchange(true)) {}
  ~Turn() {
    if (mine_) busy_.store(false);
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  // RESOURCE_EXHAUSTED with those words when another call has it.
  [[nodiscard]] absl::Status Taken(std::string_view by_whom) const;

 private:
  std::atomic<bool>& busy_;
  const bool mine_;
};

using Sleep = std::function<void(Nanos)>;

// The thread's, where `sleep` is empty.
[[nodiscard]] Sleep SleepOr(Sleep sleep);

// FAILED_PRECONDITION when the brake speaks against it, now or after the 100 ms of its window.
[[nodiscard]] absl::Status Examine(Brake& brake, const Clock& clock, const Sleep& sleep);

}  // namespace ballast::agent
