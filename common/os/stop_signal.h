// SIGINT and SIGTERM as a descriptor that becomes readable, so that an event loop ends in order.
#pragma once

#include "absl/status/statusor.h"
#include "common/base/time.h"
#include "common/os/unique_fd.h"

namespace ballast {

// Blocks both signals in the calling thread (and those it starts) and ignores SIGPIPE. Call first in main.
[[nodiscard]] absl::StatusOr<UniqueFd> CatchStopSignals();

// Waits until a stop signal arrives.
void WaitForStop(const UniqueFd& signals);

// The same, but not longer than this; true when one arrived.
[[nodiscard]] bool WaitForStop(const UniqueFd& signals, Nanos at_most);

}  // namespace ballast
