// How a thread waits for events, for another thread that wakes it, or for a time.
#pragma once

#include <optional>

#include "absl/status/status.h"
#include "common/base/time.h"
#include "common/os/unique_fd.h"

namespace ballast::agent {

class KeeperWait {
 public:
  // Errors: as errno says.
  [[nodiscard]] absl::Status Open();
  // Ends the wait, or the next one. Thread-safe; nothing before Open.
  void Wake();
  // At most `limit`; absent: without end. `events`: readable when there are some, or -1. With `gather` events
  // do not end it at once, since more follow: who runs before each of them only delays who sends them.
  void Wait(const std::optional<Nanos>& limit, int events, bool gather);

 private:
  UniqueFd wake_;
};

}  // namespace ballast::agent
