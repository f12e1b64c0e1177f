// What one act works with.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "common/os/clock.h"
#include "common/os/file_reader.h"
#include "guest-agent/act/act_types.h"
#include "guest-agent/act/brake.h"
#include "guest-agent/act/helper.h"

namespace ballast::agent {

struct Scene {
  const FileReader& files;
  const Clock& clock;
  const std::function<void(Nanos)>& sleep;
  Brake& brake;
  Helper& helper;
  HelperStarter& starter;  // for another one, where an act must go on
  int64_t page_size_bytes = 4 * kKiB;
  MonotonicTime began;
  MonotonicTime deadline;
  std::function<bool()> cancelled;  // may be empty

  // Why the act has to stop now, if it has to.
  [[nodiscard]] std::optional<Stop> Look() const { return LookUntil(deadline); }
  [[nodiscard]] std::optional<Stop> LookUntil(MonotonicTime until) const {
    const MonotonicTime now = clock.Now();
    if (cancelled && cancelled()) return Stop::kCancelled;
    if (now >= until) return Stop::kDeadline;
    if (brake.Look(now)) return Stop::kPressure;
    return std::nullopt;
  }
  [[nodiscard]] absl::StatusOr<Outcome> Do(OrderKind kind, std::string_view path, std::string text) const {
    return helper.Do({kind, files.PathOf(path), std::move(text)}, [this] { return Look(); });
  }
};

}  // namespace ballast::agent
