// Take memory out: virtio-mem first, which gives any part of itself, then whole DIMMs, chosen exactly. Each
// DIMM goes offline in the guest, is detached, and is gone when the VMM no longer shows it; one that cannot
// leave comes back into use.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host-bridge/hotplug/task_base.h"

namespace ballast::hotplug {

// How much would leave when `wanted_bytes` shall and nothing refuses: of each virtio-mem device whole blocks,
// then whole DIMMs of ours, 0..wanted_bytes.
[[nodiscard]] int64_t CanLeave(const vmm::DeviceReading& reading, int64_t wanted_bytes);

class ShrinkTask final : public TaskBase {
 public:
  ShrinkTask(int64_t from_bytes, int64_t target_bytes, MonotonicTime now, uint64_t first_id,
             const Patience& patience)
      : TaskBase(from_bytes, target_bytes, first_id, patience), since_(now) {}

  void Step(const Scene& scene) override;

 private:
  enum class Phase {
    kChoose,
    kRequesting,    // virtio-mem was asked for less
    kLeaving,       // and gives its blocks back
    kNudging,       // it stood still, and was asked for one block more
    kSettling,      // it gives no more: asked for what it has
    kListing,       // which DIMMs could leave?
    kOfflining,     // the agent takes one's blocks offline
    kWaiting,       // the guest was pressed for a moment; then again
    kDetaching,     // the guest lets it go
    kVerifying,     // the VMM's answer was lost: it is gone, or it is not
    kBringingBack,  // it stays: into use again
  };

  [[nodiscard]] bool StepOnce(const Scene& scene);
  [[nodiscard]] bool Choose(const Scene& scene);
  [[nodiscard]] bool Requested(const Scene& scene);
  [[nodiscard]] bool Leave(const Scene& scene);
  [[nodiscard]] bool Settle(const Scene& scene);
  [[nodiscard]] bool PickDimm(const Scene& scene);
  void TakeOffline();
  [[nodiscard]] bool Offlined(const Scene& scene);
  [[nodiscard]] bool Detached(const Scene& scene);
  [[nodiscard]] bool Verify(const Scene& scene);
  [[nodiscard]] bool BringBack(MonotonicTime now);
  [[nodiscard]] bool BroughtBack(const Scene& scene);
  [[nodiscard]] bool Finish(const Scene& scene);
  [[nodiscard]] bool Go(Phase phase, MonotonicTime now);
  void Fail(absl::Status why);

  Phase phase_ = Phase::kChoose;
  MonotonicTime since_;  // of the phase; kLeaving: of the last progress
  std::string device_;
  observe::AddressRange range_;             // the DIMM's
  int waits_ = 0;                           // for this DIMM
  int64_t goal_bytes_ = 0;                  // of the virtio-mem device
  int64_t seen_bytes_ = 0;                  // its size at the last look
  MonotonicTime nudged_;                    // when it was last asked anew
  std::set<std::string> stuck_;             // devices that would not leave, for now
  std::optional<MonotonicTime> ask_again_;  // for the blocks to come back, after an order that failed
  absl::Status failure_;                    // the first thing that went wrong
};

}  // namespace ballast::hotplug
