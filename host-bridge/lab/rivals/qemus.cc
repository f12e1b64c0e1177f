#include "host-bridge/lab/rivals/qemus.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <vector>

#include "host-bridge/lab/rivals/sizes.h"

namespace ballast::sim {
namespace {

constexpr double kProportional = 0.5;
constexpr double kIntegral = 0.05;
constexpr double kInterval = 5;        // seconds
constexpr double kDesiredFree = 0.20;  // host used 80 %
constexpr double kHardFree = 0.10;     // host used 90 %
constexpr int64_t kFloorPermyriad = 3300;
constexpr int64_t kHysteresis = 128 * kMiB;
constexpr int64_t kPsiLow = 1000;  // permyriad of some avg10
constexpr int64_t kPsiHigh = 5000;

// One VM's monitor.
struct Monitor {
  std::optional<int64_t> total_at_start;  // MemTotal first seen: tells whether the balloon is taken out of it
  MonotonicTime looked_at;
  std::optional<int64_t> last_size;  // then
  int64_t last_target = 0;
  double integral = 0;
};

struct Limits {
  int64_t least = 0;
  int64_t most = 0;
};

int64_t MostFor(const GuestSight& guest, int64_t floor, int64_t avg10) {
  if (avg10 < kPsiLow) return BootBytes(guest);
  const int64_t over = std::min(avg10, kPsiHigh) - kPsiLow;
  return BootBytes(guest) - MulDiv(BootBytes(guest) - floor, over, kPsiHigh - kPsiLow);
}

// What the guest uses, page cache excluded, by the size at the time of its statistics (it follows the
// balloon's events).
int64_t UsedBy(const GuestSight& guest, const Monitor& monitor) {
  if (guest.total_bytes < 0 || guest.available_bytes < 0) return guest.resident_bytes;
  const int64_t used = std::max<int64_t>(0, guest.total_bytes - guest.available_bytes);
  if (guest.total_bytes != monitor.total_at_start) return used;
  const bool older = monitor.last_size && guest.stats_at <= monitor.looked_at;
  const int64_t size = older ? *monitor.last_size : SizeBytes(guest);
  return std::max<int64_t>(0, used - (BootBytes(guest) - size));
}

class Qemus final : public Controller {
 public:
  explicit Qemus(size_t guests) : monitors_(guests) {}

  Nanos period() const override { return Seconds(5); }

  void Look(const WorldSight& sight, std::vector<Command>& commands) override {
    rest_ = true;
    if (sight.host.total_bytes <= 0) return;
    for (size_t i = 0; i < sight.guests.size() && i < monitors_.size(); ++i) {
      if (IsDriven(sight.guests[i])) Update(sight, i, commands);
    }
  }

  // An integral moves on while the world stands still.
  bool at_rest() const override { return rest_; }

 private:
  void Update(const WorldSight& sight, size_t index, std::vector<Command>& commands) {
    const GuestSight& guest = sight.guests[index];
    Monitor& monitor = monitors_[index];
    if (IsNewVmm(guest)) monitor = {};
    if (!monitor.total_at_start) {
      if (guest.total_bytes < 0 || guest.available_bytes < 0) return;
      monitor.total_at_start = guest.total_bytes;
      monitor.last_target = BootBytes(guest);
    }
    const double free =
        static_cast<double>(sight.host.available_bytes) / static_cast<double>(sight.host.total_bytes);
    const Limits limits = LimitsFor(sight, guest, monitor, free);
    const int64_t target = Steer(guest, limits, kDesiredFree - free, monitor);
    monitor.last_size = SizeBytes(guest);
    monitor.looked_at = sight.now;
    const bool on_limit = target == limits.least || target == limits.most;
    const int64_t change = std::abs(target - monitor.last_target);
    if (change == 0 || (change < kHysteresis && !on_limit)) return;
    CommandSize(sight, index, target, commands);
    monitor.last_target = target;
    rest_ = false;
  }

  static Limits LimitsFor(const WorldSight& sight, const GuestSight& guest, const Monitor& monitor,
                          double free) {
    const int64_t floor = OwnFloor(*guest.plan, kFloorPermyriad, 0);
    const int64_t most = MostFor(guest, floor, sight.host.some_avg10_permyriad);
    const int64_t least = free < kHardFree ? floor : std::max(floor, UsedBy(guest, monitor));
    return {std::min(least, most), most};  // its clamp lets the upper limit win
  }

  int64_t Steer(const GuestSight& guest, const Limits& limits, double error, Monitor& monitor) {
    const auto boot = static_cast<double>(BootBytes(guest));
    const auto size = static_cast<double>(SizeBytes(guest));
    const double integral = std::clamp(monitor.integral + error * kInterval, -1.0, 1.0);
    const double wanted = std::trunc(size - (kProportional * error + kIntegral * integral) * boot);
    const double most = static_cast<double>(limits.most);
    const double least = static_cast<double>(limits.least);
    const auto target = static_cast<int64_t>(std::clamp(wanted, least, most));
    const bool low = target == limits.least && error > 0;
    const bool high = target == limits.most && error < 0;
    const double before = monitor.integral;
    monitor.integral = integral;
    if (low || high) {
      const double limit = low ? least : most;
      const double back = (size - limit) / (kIntegral * boot) - kProportional * error / kIntegral;
      monitor.integral = std::clamp(back, -1.0, 1.0);
    }
    if (std::abs(monitor.integral - before) > 1e-9) rest_ = false;
    return target;
  }

  bool rest_ = true;
  std::vector<Monitor> monitors_;
};

}  // namespace

std::unique_ptr<Controller> MakeQemus(const WorldPlan& plan) {
  return std::make_unique<Qemus>(plan.guests.size());
}

}  // namespace ballast::sim
