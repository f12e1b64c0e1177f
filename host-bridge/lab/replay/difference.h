// The first field in which two outcomes differ, for people.
#pragma once

#include <optional>
#include <string>

#include "host-bridge/policy/outcome.h"
#include "host-bridge/policy/snapshot.h"

namespace ballast::replay {

struct Difference {
  std::string guest;  // its name; empty: the host's
  std::string field;  // "decision.reason.wanted_bytes", "history.target_bytes"
  std::string recorded;
  std::string replayed;
};

// Unset when they are equal. Guests are named by `snapshot`. Instants are shown as ages at `now`.
[[nodiscard]] std::optional<Difference> FirstDifference(const policy::Snapshot& snapshot, MonotonicTime now,
                                                        const policy::Outcome& recorded,
                                                        const policy::Outcome& replayed);

}  // namespace ballast::replay
