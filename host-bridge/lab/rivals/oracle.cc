#include "host-bridge/lab/rivals/oracle.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

#include "host-bridge/lab/rivals/least_size.h"
#include "host-bridge/lab/rivals/sizes.h"

namespace ballast::sim {
namespace {

constexpr Nanos kPeriod = Seconds(1);
// Until a command is obeyed, beside the pages themselves: two looks, so that one may fall between two
// changes.
constexpr Nanos kReaction = Seconds(2);
constexpr Nanos kGrowFor = Seconds(10);
constexpr Nanos kShrinkFor = Seconds(30);
constexpr int64_t kWorth = 64 * kMiB;
// Commands are in whole pages.
constexpr int64_t kLeastMove = 8 * kKiB;

// The workload's own time at `at`, both since the world's start: it keeps the time of the world, also while
// its guest boots, and stands still while it is paused.
Nanos ProgramTime(const GuestPlan& plan, Nanos at) {
  Nanos time = at - plan.starts_at;
  for (const GuestEvent& event : plan.events) {
    if (event.kind != GuestEvent::Kind::kPause) continue;
    time = time - std::clamp(at - event.at, Nanos{}, event.length);
  }
  return time;
}

class Oracle final : public Controller {
 public:
  explicit Oracle(const WorldPlan& plan) {
    for (const GuestPlan& guest : plan.guests) {
      guests_.push_back({guest, Foresight(guest.boot_bytes, guest.workload())});
    }
  }

  Nanos period() const override { return kPeriod; }

  void Look(const WorldSight& sight, std::vector<Command>& commands) override {
    if (!start_) start_ = sight.now;
    const Nanos now = sight.now - *start_;
    for (size_t i = 0; i < sight.guests.size() && i < guests_.size(); ++i) {
      const GuestSight& guest = sight.guests[i];
      if (!IsDriven(guest)) continue;
      const int64_t boot = guest.plan->boot_bytes;
      const int64_t asked = boot - std::clamp<int64_t>(guest.target_bytes, 0, boot);
      const int64_t size = Next(guests_[i], asked, ProgramTime(guests_[i].plan, now));
      if (std::abs(size - asked) < kLeastMove) continue;
      CommandSize(sight, i, size, commands);
    }
  }

 private:
  struct Guest {
    GuestPlan plan;
    Foresight foresight;
  };

  // The size after this look of a guest with `size`.
  static int64_t Next(Guest& guest, int64_t size, Nanos now) {
    const GuestPlan& plan = guest.plan;
    const int64_t floor = PlanFloor(plan);
    const auto peak = [&](Nanos ahead) {
      return std::clamp(guest.foresight.Peak(now, now + ahead), floor, plan.boot_bytes);
    };
    const int64_t give = std::max<int64_t>(kMiB, plan.device.give_bytes_per_second);
    const Nanos lead = kReaction + Nanos{MulDiv(plan.boot_bytes, Seconds(1).count, give)};
    if (peak(lead) > size + kLeastMove) return peak(lead + kGrowFor);
    const int64_t later = peak(lead + kShrinkFor);
    return size - later >= kWorth ? later : size;
  }

  std::optional<MonotonicTime> start_;
  std::vector<Guest> guests_;
};

}  // namespace

std::unique_ptr<Controller> MakeOracle(const WorldPlan& plan) { return std::make_unique<Oracle>(plan); }

}  // namespace ballast::sim
