#include "host-bridge/lab/rivals/hypeman.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <vector>

#include "host-bridge/lab/rivals/sizes.h"

namespace ballast::sim {
namespace {

constexpr int64_t kHighPercent = 10;
constexpr int64_t kLowPercent = 15;
constexpr int64_t kFloorPermyriad = 5000;
constexpr int64_t kFloorLeast = 512 * kMiB;
constexpr int64_t kLeastChange = 64 * kMiB;
constexpr int64_t kStep = 256 * kMiB;
constexpr Nanos kCooldown = Seconds(5);

// One VM of a pass.
struct Candidate {
  size_t index = 0;
  int64_t boot = 0;
  int64_t floor = 0;
  int64_t held = 0;     // by its target
  int64_t reclaim = 0;  // planned
  int64_t headroom() const { return boot - floor; }
};

class Hypeman final : public Controller {
 public:
  explicit Hypeman(size_t guests) : applied_at_(guests) {}

  Nanos period() const override { return Seconds(2); }

  void Look(const WorldSight& sight, std::vector<Command>& commands) override {
    rest_ = true;
    Judge(sight.host);
    std::vector<Candidate> candidates = List(sight);
    Split(Wanted(sight.host, candidates), candidates);
    for (const Candidate& candidate : candidates) Apply(sight, candidate, commands);
  }

  bool at_rest() const override { return rest_; }

 private:
  void Judge(const HostSight& host) {
    const bool stressed = host.some_avg10_permyriad > 0;
    const int64_t percent = pressure_ ? kLowPercent : kHighPercent;
    const bool low = host.available_bytes < MulDiv(host.total_bytes, percent, 100);
    pressure_ = low || stressed;
  }

  std::vector<Candidate> List(const WorldSight& sight) const {
    std::vector<Candidate> candidates;
    for (size_t i = 0; i < sight.guests.size() && i < applied_at_.size(); ++i) {
      const GuestSight& guest = sight.guests[i];
      if (!IsDriven(guest)) continue;
      const int64_t boot = BootBytes(guest);
      const int64_t held = std::clamp<int64_t>(guest.target_bytes, 0, boot);  // as requested, not as achieved
      candidates.push_back({i, boot, OwnFloor(*guest.plan, kFloorPermyriad, kFloorLeast), held, 0});
    }
    return candidates;
  }

  int64_t Wanted(const HostSight& host, const std::vector<Candidate>& candidates) const {
    if (!pressure_ || host.total_bytes <= 0) return 0;
    const int64_t needed = MulDiv(host.total_bytes, kLowPercent, 100) - host.available_bytes;
    if (needed > 0) return needed;
    int64_t held = 0;
    for (const Candidate& candidate : candidates) held += candidate.held;
    return host.some_avg10_permyriad > 0 ? held : 0;
  }

  static void Split(int64_t wanted, std::vector<Candidate>& candidates) {
    int64_t headroom = 0;
    for (const Candidate& candidate : candidates) headroom += candidate.headroom();
    if (headroom <= 0) return;
    wanted = std::clamp<int64_t>(wanted, 0, headroom);
    int64_t rest = wanted;
    for (Candidate& candidate : candidates) {
      candidate.reclaim = MulDiv(wanted, candidate.headroom(), headroom);
      rest -= candidate.reclaim;
    }
    for (Candidate& candidate : candidates) {
      const int64_t more = std::min(rest, candidate.headroom() - candidate.reclaim);
      candidate.reclaim += more;
      rest -= more;
    }
  }

  void Apply(const WorldSight& sight, const Candidate& candidate, std::vector<Command>& commands) {
    const int64_t current = candidate.boot - candidate.held;
    const int64_t change = candidate.boot - candidate.reclaim - current;
    if (std::abs(change) < kLeastChange) return;
    rest_ = false;
    std::optional<MonotonicTime>& applied_at = applied_at_[candidate.index];
    if (applied_at && sight.now - *applied_at < kCooldown) return;
    const int64_t target =
        std::clamp(current + std::clamp(change, -kStep, kStep), candidate.floor, candidate.boot);
    CommandSize(sight, candidate.index, target, commands);
    applied_at = sight.now;
  }

  bool pressure_ = false;
  bool rest_ = true;
  std::vector<std::optional<MonotonicTime>> applied_at_;
};

}  // namespace

std::unique_ptr<Controller> MakeHypeman(const WorldPlan& plan) {
  return std::make_unique<Hypeman>(plan.guests.size());
}

}  // namespace ballast::sim
