// The acts, one at a time: each is examined for, carried out by a helper process, watched and measured.
#pragma once

#include <atomic>
#include <functional>

#include "absl/status/statusor.h"
#include "common/os/clock.h"
#include "common/os/file_reader.h"
#include "guest-agent/act/act_types.h"
#include "guest-agent/act/scene.h"
#include "guest-agent/sensors/machine_facts.h"

namespace ballast::agent {

// Thread-safe. Besides each act's own errors: RESOURCE_EXHAUSTED while another runs; FAILED_PRECONDITION when
// the guest is pressed or stalls more than the brake allows (nothing was done then).
class Acts {
 public:
  struct Options {
    std::string root;  // see FileReader
    MachineFacts machine;
    std::function<void(Nanos)> sleep;  // empty: the thread's
  };

  // `starter` and `clock` must outlive it.
  Acts(Options options, HelperStarter& starter, const Clock& clock);
  Acts(const Acts&) = delete;
  Acts& operator=(const Acts&) = delete;

  [[nodiscard]] absl::StatusOr<ReclaimResult> Reclaim(const ReclaimWish& wish, const Bounds& bounds);
  [[nodiscard]] absl::StatusOr<CompactResult> Compact(const Bounds& bounds);
  [[nodiscard]] absl::StatusOr<ZramResult> ConfigureZram(const ZramWish& wish, const Bounds& bounds);
  [[nodiscard]] absl::StatusOr<SwappinessResult> SetSwappiness(int32_t swappiness, const Bounds& bounds);

 private:
  template <typename Result>
  absl::StatusOr<Result> Perform(const Bounds& bounds,
                                 const std::function<absl::StatusOr<Result>(const Scene&)>& act);
  [[nodiscard]] BrakeConfig BrakeFor(const Bounds& bounds) const;

  const FileReader files_;
  const MachineFacts machine_;
  const std::function<void(Nanos)> sleep_;
  HelperStarter& starter_;
  const Clock& clock_;
  std::atomic<bool> busy_{false};
};

}  // namespace ballast::agent
