#include "host-bridge/lab/rivals/vm0.h"

#include <algorithm>
#include <vector>

#include "host-bridge/lab/rivals/sizes.h"

namespace ballast::sim {
namespace {

constexpr int64_t kInflateAbove = 384 * kMiB;  // MemFree
constexpr int64_t kKeepFree = 256 * kMiB;
constexpr int64_t kStep = 256 * kMiB;
constexpr int64_t kReleaseBelow = 192 * kMiB;  // MemAvailable

class Vm0 final : public Controller {
 public:
  Nanos period() const override { return Seconds(5); }

  void Look(const WorldSight& sight, std::vector<Command>& commands) override {
    rest_ = true;
    for (size_t i = 0; i < sight.guests.size(); ++i) {
      if (IsDriven(sight.guests[i])) Tick(sight, i, commands);
    }
  }

  bool at_rest() const override { return rest_; }

 private:
  void Tick(const WorldSight& sight, size_t index, std::vector<Command>& commands) {
    const GuestSight& guest = sight.guests[index];
    if (guest.available_bytes < 0 || guest.free_bytes < 0) return;
    const int64_t boot = BootBytes(guest);
    const int64_t actual = boot - SizeBytes(guest);
    const int64_t pending = std::clamp<int64_t>(guest.target_bytes, 0, boot);
    int64_t target = pending;
    if (guest.available_bytes < kReleaseBelow) {
      target = 0;
    } else if (guest.free_bytes > kInflateAbove) {
      const int64_t most = boot - PlanFloor(*guest.plan);
      const int64_t wanted = actual + std::min(guest.free_bytes - kKeepFree, kStep);
      target = std::max(pending, std::min(wanted, most));
    }
    if (target == pending) return;
    CommandSize(sight, index, boot - target, commands);
    rest_ = false;
  }

  bool rest_ = true;
};

}  // namespace

std::unique_ptr<Controller> MakeVm0(const WorldPlan&) { return std::make_unique<Vm0>(); }

}  // namespace ballast::sim
