#include "host-bridge/lab/rivals/mom.h"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <numeric>
#include <vector>

#include "host-bridge/lab/rivals/sizes.h"

namespace ballast::sim {
namespace {

constexpr Nanos kMonitor = Seconds(5);
constexpr Nanos kPolicy = Seconds(10);
constexpr size_t kSamples = 10;
// Permyriad.
constexpr int64_t kPressure = 2000;
constexpr int64_t kCritical = 500;
constexpr int64_t kGuestFree = 2000;
constexpr int64_t kMostChange = 500;
constexpr int64_t kLeastChange = 25;

// The mean of the last ten samples.
class History {
 public:
  void Add(int64_t sample) {
    if (samples_.size() == kSamples) samples_.pop_front();
    samples_.push_back(sample);
  }
  void Clear() { samples_.clear(); }
  bool empty() const { return samples_.empty(); }
  int64_t mean() const {
    return std::accumulate(samples_.begin(), samples_.end(), int64_t{0}) / std::ssize(samples_);
  }
  bool steady() const {
    return samples_.size() == kSamples &&
           std::ranges::all_of(samples_, [this](int64_t sample) { return sample == samples_.front(); });
  }

 private:
  std::deque<int64_t> samples_;
};

class Mom final : public Controller {
 public:
  explicit Mom(size_t guests) : guests_(guests) {}

  Nanos period() const override { return kMonitor; }

  void Look(const WorldSight& sight, std::vector<Command>& commands) override {
    Monitor(sight);
    const size_t before = commands.size();
    const bool due = !decided_at_ || sight.now - *decided_at_ >= kPolicy;
    if (due) {
      Decide(sight, commands);
      decided_at_ = sight.now;
    }
    // Means still move, and a step may follow a step, as long as a sample differs from the others.
    rest_ = due ? commands.size() == before && host_.steady() && GuestsSteady(sight) : rest_;
  }

  bool at_rest() const override { return rest_; }

 private:
  struct Guest {
    History size;
    History free;
  };

  void Monitor(const WorldSight& sight) {
    const HostSight& host = sight.host;
    host_.Add(std::clamp<int64_t>(host.available_bytes, 0, std::max<int64_t>(0, host.total_bytes)));
    for (size_t i = 0; i < sight.guests.size() && i < guests_.size(); ++i) {
      const GuestSight& guest = sight.guests[i];
      if (!IsDriven(guest) || guest.free_bytes < 0) {
        guests_[i] = {};
        continue;
      }
      guests_[i].size.Add(SizeBytes(guest));
      guests_[i].free.Add(std::min(guest.free_bytes, BootBytes(guest)));
    }
  }

  bool GuestsSteady(const WorldSight& sight) const {
    for (size_t i = 0; i < sight.guests.size() && i < guests_.size(); ++i) {
      if (guests_[i].size.empty()) continue;
      if (!guests_[i].size.steady() || !guests_[i].free.steady()) return false;
    }
    return true;
  }

  void Decide(const WorldSight& sight, std::vector<Command>& commands) {
    if (sight.host.total_bytes <= 0) return;
    const int64_t host_free = MulDiv(host_.mean(), 10'000, sight.host.total_bytes);
    for (size_t i = 0; i < sight.guests.size() && i < guests_.size(); ++i) {
      if (guests_[i].size.empty()) continue;
      const int64_t current = SizeBytes(sight.guests[i]);
      const int64_t size = host_free < kPressure ? Shrunk(sight.guests[i], guests_[i], host_free)
                                                 : Grown(sight.guests[i], guests_[i]);
      if (host_free < kPressure && size > current) continue;
      if (std::abs(size - current) > MulDiv(current, kLeastChange, 10'000)) {
        CommandSize(sight, i, size, commands);
      }
    }
  }

  // What the guest should keep: its minimum, or what it uses and a share of its size.
  static int64_t Least(const GuestSight& sight, const Guest& guest, int64_t free_permyriad) {
    const int64_t used = guest.size.mean() - guest.free.mean();
    return std::max(PlanFloor(*sight.plan), used + MulDiv(SizeBytes(sight), free_permyriad, 10'000));
  }

  static int64_t Shrunk(const GuestSight& sight, const Guest& guest, int64_t host_free) {
    const int64_t free =
        host_free <= kCritical ? host_free - kCritical : MulDiv(kGuestFree, host_free, kPressure);
    return std::max(MulDiv(SizeBytes(sight), 10'000 - kMostChange, 10'000), Least(sight, guest, free));
  }

  static int64_t Grown(const GuestSight& sight, const Guest& guest) {
    const int64_t step = MulDiv(SizeBytes(sight), 10'000 + kMostChange, 10'000);
    return std::min(BootBytes(sight), std::max(step, Least(sight, guest, kGuestFree)));
  }

  History host_;
  std::vector<Guest> guests_;
  std::optional<MonotonicTime> decided_at_;
  bool rest_ = false;
};

}  // namespace

std::unique_ptr<Controller> MakeMom(const WorldPlan& plan) {
  return std::make_unique<Mom>(plan.guests.size());
}

}  // namespace ballast::sim
