// What the rivals have in common: a guest's size, its minimum and maximum, and the command that sets a size.
// All numbers a guest sends may be anything; the arithmetic here stops at the ends of int64_t.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "common/base/time.h"
#include "common/base/units.h"
#include "host-bridge/lab/world/controller.h"

namespace ballast::sim {

// a * b / divisor, rounded towards zero; divisor > 0.
[[nodiscard]] inline int64_t MulDiv(int64_t a, int64_t b, int64_t divisor) {
  // Sizes and shares of real guests fit; a division of 128 bits takes several times as long.
  if (int64_t product = 0; !__builtin_mul_overflow(a, b, &product)) return product / divisor;
  __extension__ typedef __int128 Wide;
  const Wide value = Wide{a} * b / divisor;
  return static_cast<int64_t>(
      std::clamp<Wide>(value, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()));
}

// Whether a rival would touch this guest now: it runs, its VMM answers, and its operator lets memory be taken
// (mode full; the rivals have no other mode, and a guest that only ever gets would never be ballooned by
// them).
[[nodiscard]] bool IsDriven(const GuestSight& guest);

[[nodiscard]] int64_t BootBytes(const GuestSight& guest);

// Its VMM was started anew: the device lost its target, and a controller that is started with its VM begins
// again. (After a reset inside the VMM the target is still there.)
[[nodiscard]] bool IsNewVmm(const GuestSight& guest);

// Boot memory less balloon; never below 0.
[[nodiscard]] int64_t SizeBytes(const GuestSight& guest);

// The minimum an operator would configure: the plan's floor, by default 25 % of boot memory and at least 128
// MiB.
[[nodiscard]] int64_t PlanFloor(const GuestPlan& plan);

// The minimum of a rival whose own default is a share of the guest: the plan's floor where the operator set
// one, else `permyriad` of boot memory and at least `least_bytes`.
[[nodiscard]] int64_t OwnFloor(const GuestPlan& plan, int64_t permyriad, int64_t least_bytes);

// Appends a command that gives guest `index` this size, clamped to 0..boot, in whole pages.
void CommandSize(const WorldSight& sight, size_t index, int64_t size_bytes, std::vector<Command>& commands);

}  // namespace ballast::sim
