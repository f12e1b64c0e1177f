#include "host-bridge/lab/rivals/sizes.h"

#include <algorithm>

namespace ballast::sim {
namespace {

constexpr int64_t kPage = 4 * kKiB;

}  // namespace

bool IsDriven(const GuestSight& guest) {
  return guest.plan != nullptr && guest.vmm_answers && guest.running && guest.plan->boot_bytes > 0 &&
         guest.plan->limits.mode == policy::Mode::kFull;
}

bool IsNewVmm(const GuestSight& guest) { return guest.rebooted && guest.target_bytes == 0; }

int64_t BootBytes(const GuestSight& guest) { return guest.plan->boot_bytes; }

int64_t SizeBytes(const GuestSight& guest) {
  return BootBytes(guest) - std::clamp<int64_t>(guest.balloon_bytes, 0, BootBytes(guest));
}

int64_t PlanFloor(const GuestPlan& plan) { return OwnFloor(plan, 2500, 128 * kMiB); }

int64_t OwnFloor(const GuestPlan& plan, int64_t permyriad, int64_t least_bytes) {
  const int64_t own = std::max(MulDiv(plan.boot_bytes, permyriad, 10'000), least_bytes);
  return std::clamp<int64_t>(plan.limits.floor_bytes.value_or(own), 0, plan.boot_bytes);
}

void CommandSize(const WorldSight& sight, size_t index, int64_t size_bytes, std::vector<Command>& commands) {
  const int64_t boot = BootBytes(sight.guests[index]);
  const int64_t balloon = boot - std::clamp<int64_t>(size_bytes, 0, boot);
  commands.push_back({index, balloon - balloon % kPage});
}

}  // namespace ballast::sim
