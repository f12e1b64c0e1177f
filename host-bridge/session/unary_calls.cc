#include "host-bridge/session/unary_calls.h"

#include <algorithm>

namespace ballast::session {

void UnaryCalls::Cancel() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  for (const std::unique_ptr<Call>& call : calls_) call->context.TryCancel();
}

void UnaryCalls::Cancel(uint64_t name) {
  const std::lock_guard lock(mutex_);
  for (const std::unique_ptr<Call>& call : calls_) {
    if (call->name == name && !call->finished) call->context.TryCancel();
  }
}

bool UnaryCalls::Close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  return std::all_of(calls_.begin(), calls_.end(), [](const auto& call) { return call->finished; });
}

void UnaryCalls::Finish(Call& call) {
  {
    const std::lock_guard lock(mutex_);
    call.finished = true;
  }
  on_quiet_();
}

}  // namespace ballast::session
