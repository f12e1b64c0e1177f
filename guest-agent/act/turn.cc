#include "guest-agent/act/turn.h"

#include <chrono>
#include <thread>
#include <utility>

#include "common/base/text.h"

namespace ballast::agent {
namespace {

// The brake's window: as long is looked at what happens without the act.
constexpr Nanos kExamination = Milliseconds(100);

}  // namespace

absl::Status Turn::Taken(std::string_view by_whom) const {
  return mine_ ? absl::OkStatus() : absl::ResourceExhaustedError(ToAbsl(by_whom));
}

Sleep SleepOr(Sleep sleep) {
  if (sleep) return sleep;
  return [](Nanos span) { std::this_thread::sleep_for(std::chrono::nanoseconds(span.count)); };
}

absl::Status Examine(Brake& brake, const Clock& clock, const Sleep& sleep) {
  // The first look sees no stalls yet, but it sees a guest that is pressed at once.
  for (const bool first : {true, false}) {
    if (const auto why = brake.Look(clock.Now())) return absl::FailedPreconditionError(ToAbsl(*why));
    if (first) sleep(kExamination);
  }
  return absl::OkStatus();
}

}  // namespace ballast::agent
