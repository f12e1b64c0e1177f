// What was promised to guests or taken from them and no reading shows at present, and what operators want
// taken.
#pragma once

#include <cstdint>

#include "host-bridge/policy/outcome.h"
#include "host-bridge/policy/snapshot.h"

namespace ballast::policy {

// Bytes already promised and not yet with the guest. Of a VMM that does not answer the last word counts.
[[nodiscard]] int64_t PromisedUnseen(const GuestHistory& history);
// The part of it that is to be plugged.
[[nodiscard]] int64_t PluggedUnseen(const GuestHistory& history);

// The balloon of a guest whose VMM was read but that cannot be managed at the moment: as commanded or as it
// is.
[[nodiscard]] int64_t HeldBy(const GuestFacts& facts);

// The largest standing request that has not ended.
[[nodiscard]] int64_t LargestHold(const Snapshot& snapshot, MonotonicTime now);

// The outcome with which nothing is done to anybody.
void HoldEverything(const Snapshot& snapshot, Outcome& outcome);

}  // namespace ballast::policy
