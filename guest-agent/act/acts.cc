#include "guest-agent/act/acts.h"

#include <chrono>
#include <thread>
#include <utility>

#include "common/base/text.h"
#include "guest-agent/act/compact.h"
#include "guest-agent/act/reclaim.h"
#include "guest-agent/act/swappiness.h"
#include "guest-agent/act/zram_profile.h"

namespace ballast::agent {
namespace {

// The brake's window: before an act begins, as long is looked at what happens without it.
constexpr Nanos kExamination = Milliseconds(100);

void SleepFor(Nanos span) { std::this_thread::sleep_for(std::chrono::nanoseconds(span.count)); }

// Frees the place when the act is over.
class Place {
 public:
  explicit Place(std::atomic<bool>& busy) : busy_(busy), mine_(!busy.exchange(true)) {}
  ~Place() {
    if (mine_) busy_.store(false);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  [[nodiscard]] absl::Status Taken() const {
    return mine_ ? absl::OkStatus() : absl::ResourceExhaustedError("another act is under way in this guest");
  }

 private:
  std::atomic<bool>& busy_;
  const bool mine_;
};

}  // namespace

Acts::Acts(Options options, HelperStarter& starter, const Clock& clock)
    : files_(options.root),
      machine_(std::move(options.machine)),
      sleep_(options.sleep ? std::move(options.sleep) : SleepFor),
      starter_(starter),
      clock_(clock) {}

absl::StatusOr<ReclaimResult> Acts::Reclaim(const ReclaimWish& wish, const Bounds& bounds) {
  return Perform<ReclaimResult>(bounds, [&](const Scene& scene) { return agent::Reclaim(scene, wish); });
}

absl::StatusOr<CompactResult> Acts::Compact(const Bounds& bounds) {
  return Perform<CompactResult>(bounds, [](const Scene& scene) { return agent::Compact(scene); });
}

absl::StatusOr<ZramResult> Acts::ConfigureZram(const ZramWish& wish, const Bounds& bounds) {
  return Perform<ZramResult>(bounds, [&](const Scene& scene) { return agent::ConfigureZram(scene, wish); });
}

absl::StatusOr<SwappinessResult> Acts::SetSwappiness(int32_t swappiness, const Bounds& bounds) {
  const Place place(busy_);
  if (auto status = place.Taken(); !status.ok()) return status;
  Brake brake(files_, BrakeFor(bounds));
  if (auto status = Examine(brake); !status.ok()) return status;
  return agent::SetSwappiness(files_, swappiness);
}

template <typename Result>
absl::StatusOr<Result> Acts::Perform(const Bounds& bounds,
                                     const std::function<absl::StatusOr<Result>(const Scene&)>& act) {
  const MonotonicTime began = clock_.Now();
  const Place place(busy_);
  if (auto status = place.Taken(); !status.ok()) return status;
  Brake brake(files_, BrakeFor(bounds));
  if (auto status = Examine(brake); !status.ok()) return status;
  // Now, while memory is at hand.
  const auto helper = starter_.Start();
  if (!helper.ok()) return helper.status();
  return act(Scene{files_, clock_, sleep_, brake, **helper, starter_, machine_.page_size_bytes, began,
                   began + bounds.within, bounds.cancelled});
}

absl::Status Acts::Examine(Brake& brake) const {
  // The first look sees no stalls yet, but it sees a guest that is pressed at once.
  for (const bool first : {true, false}) {
    if (const auto why = brake.Look(clock_.Now())) return absl::FailedPreconditionError(ToAbsl(*why));
    if (first) sleep_(kExamination);
  }
  return absl::OkStatus();
}

BrakeConfig Acts::BrakeFor(const Bounds& bounds) const {
  return {bounds.brake_permyriad, machine_.page_size_bytes,
          machine_.balloon && machine_.balloon->deflate_on_oom};
}

}  // namespace ballast::agent
