#include "host-bridge/lab/rivals/ghaf.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "host-bridge/lab/rivals/sizes.h"

namespace ballast::sim {
namespace {

constexpr int64_t kLowPercent = 70;
constexpr int64_t kHighPercent = 80;
constexpr Nanos kBalloonInterval = Seconds(3);

// The size this VM should have, before its limits. It sees `available` as an unsigned number.
int64_t Preferred(int64_t visible, int64_t available) {
  const int64_t used = available < 0 ? 0 : std::max<int64_t>(0, visible - available);
  const int64_t pressure = visible > 0 ? MulDiv(used, 200, visible) : 200;  // in half percents, to round
  const int64_t percent = (pressure + 1) / 2;
  if (percent < kLowPercent) return MulDiv(used, 100, kLowPercent);
  if (percent > kHighPercent) return MulDiv(used, 100, kHighPercent - 2);
  return visible;
}

class Ghaf final : public Controller {
 public:
  explicit Ghaf(size_t guests) : processes_(guests) {}

  Nanos period() const override { return Seconds(1); }

  void Look(const WorldSight& sight, std::vector<Command>& commands) override {
    rest_ = true;
    for (size_t i = 0; i < sight.guests.size() && i < processes_.size(); ++i) {
      if (IsDriven(sight.guests[i])) Manage(sight, i, commands);
    }
  }

  bool at_rest() const override { return rest_; }

 private:
  struct Process {
    MonotonicTime stats_at;  // of the statistics last acted on; none were ever filled in at 0
    std::optional<MonotonicTime> acted_at;
  };

  void Manage(const WorldSight& sight, size_t index, std::vector<Command>& commands) {
    const GuestSight& guest = sight.guests[index];
    Process& process = processes_[index];
    const int64_t visible = SizeBytes(guest);
    const int64_t target =
        std::clamp(Preferred(visible, guest.available_bytes), PlanFloor(*guest.plan), BootBytes(guest));
    if (target == visible) return;
    rest_ = false;
    if (process.stats_at == guest.stats_at) return;
    if (process.acted_at && sight.now - *process.acted_at < kBalloonInterval) return;
    process.stats_at = guest.stats_at;
    process.acted_at = sight.now;
    CommandSize(sight, index, target, commands);
  }

  bool rest_ = true;
  std::vector<Process> processes_;
};

}  // namespace

std::unique_ptr<Controller> MakeGhaf(const WorldPlan& plan) {
  return std::make_unique<Ghaf>(plan.guests.size());
}

}  // namespace ballast::sim
