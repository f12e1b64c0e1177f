// Plug, see the guest take it, count it. What the guest does not take at all is taken out again.
#pragma once

#include <string>

#include "host-bridge/hotplug/task_base.h"

namespace ballast::hotplug {

class GrowTask final : public TaskBase {
 public:
  GrowTask(int64_t from_bytes, int64_t target_bytes, MonotonicTime now, uint64_t first_id,
           const Patience& patience)
      : TaskBase(from_bytes, target_bytes, first_id, patience), since_(now), proved_(from_bytes) {}

  void Step(const Scene& scene) override;

 private:
  enum class Phase {
    kChoose,      // which device is next
    kPlugging,    // the VMM was asked
    kListing,     // the agent was asked which blocks there are
    kProving,     // not all of it is in use yet: look again later
    kOnlining,    // the agent was told to bring it online
    kTakingBack,  // the guest does not take it
  };

  [[nodiscard]] bool StepOnce(const Scene& scene);
  [[nodiscard]] bool Choose(const Scene& scene);
  [[nodiscard]] bool Plugged(const Scene& scene);
  [[nodiscard]] bool Listed(const Scene& scene);
  [[nodiscard]] bool Prove(const Scene& scene, const vmm::MemoryDevice& device, const Coverage& coverage);
  [[nodiscard]] bool GiveUp(const Scene& scene, const vmm::MemoryDevice& device, const Coverage& coverage);
  [[nodiscard]] bool Go(Phase phase, MonotonicTime now);

  Phase phase_ = Phase::kChoose;
  MonotonicTime since_;       // of the phase; of kProving and its loop: when there last was progress
  std::string device_;        // that grows now
  int64_t before_bytes_ = 0;  // its size before this step
  int64_t seen_bytes_ = 0;    // of it in use, as last proved
  int64_t proved_;            // in use, all steps together
  Nanos pause_ = {};          // before the next listing
  bool told_ = false;         // the agent was told to bring it online
  absl::Status failure_;      // why it is taken back
};

}  // namespace ballast::hotplug
