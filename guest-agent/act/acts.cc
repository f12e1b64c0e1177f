#include "guest-agent/act/acts.h"

#include <utility>

#include "guest-agent/act/compact.h"
#include "guest-agent/act/reclaim.h"
#include "guest-agent/act/swappiness.h"
#include "guest-agent/act/turn.h"
#include "guest-agent/act/zram_profile.h"

namespace ballast::agent {
namespace {

constexpr char kTaken[] = "another act is under way in this guest";

}  // namespace

Acts::Acts(Options options, HelperStarter& starter, const Clock& clock)
    : files_(options.root),
      machine_(std::move(options.machine)),
      sleep_(SleepOr(std::move(options.sleep))),
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
  const Turn turn(busy_);
  if (auto status = turn.Taken(kTaken); !status.ok()) return status;
  Brake brake(files_, BrakeFor(bounds));
  if (auto status = Examine(brake, clock_, sleep_); !status.ok()) return status;
  return agent::SetSwappiness(files_, swappiness);
}

template <typename Result>
absl::StatusOr<Result> Acts::Perform(const Bounds& bounds,
                                     const std::function<absl::StatusOr<Result>(const Scene&)>& act) {
  const MonotonicTime began = clock_.Now();
  const Turn turn(busy_);
  if (auto status = turn.Taken(kTaken); !status.ok()) return status;
  Brake brake(files_, BrakeFor(bounds));
  if (auto status = Examine(brake, clock_, sleep_); !status.ok()) return status;
  // Now, while memory is at hand.
  const auto helper = starter_.Start();
  if (!helper.ok()) return helper.status();
  return act(Scene{files_, clock_, sleep_, brake, **helper, starter_, machine_.page_size_bytes, began,
                   began + bounds.within, bounds.cancelled});
}

BrakeConfig Acts::BrakeFor(const Bounds& bounds) const {
  return {bounds.brake_permyriad, machine_.page_size_bytes};
}

}  // namespace ballast::agent
