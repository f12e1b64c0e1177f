// One guest of a running world: its model, its programs, what happens to it by plan, its agent, and what of
// it can be seen.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "host-bridge/lab/model/guest_model.h"
#include "host-bridge/lab/scenario/planned_world.h"
#include "host-bridge/lab/world/controller.h"
#include "host-bridge/lab/world/run.h"
#include "host-bridge/lab/world/simulated_agent.h"

namespace ballast::sim {

class GuestRun {
 public:
  // `plan` and `policy` outlive it; `began` is the world's first instant.
  GuestRun(const GuestPlan& plan, const policy::PolicyConfig& policy, DeviceChoice device,
           MonotonicTime began);

  // Lets time pass until `now`, and then what is due happens. `spare` is what the host has above its reserve.
  // Fills in `sight` as it is at `now`. Returns what its agent said.
  SimulatedAgent::Word AdvanceTo(MonotonicTime now, int64_t spare, GuestSight& sight, Measures& measures);

  // When it has to be advanced again.
  [[nodiscard]] MonotonicTime due() const { return due_; }
  [[nodiscard]] MonotonicTime at() const { return at_; }
  // Something is going on that a periodic controller would see.
  [[nodiscard]] bool is_busy() const { return busy_; }
  [[nodiscard]] const GuestModel& model() const { return model_; }

  // A command arrives at the VMM: advance to that time first. False: the VMM does not obey.
  bool SetTarget(int64_t balloon_bytes);
  bool SetPlugged(int64_t bytes);
  // The host's kernel killed the VMM.
  void KillVmm(MonotonicTime now);
  // The host slept: for a while reports carry times that are `ahead`.
  void ClockJumped(MonotonicTime until, Nanos ahead);

 private:
  struct Change {
    MonotonicTime at;
    const GuestEvent* event = nullptr;
    bool begins = true;
  };
  // How many events of a kind are going on; they may overlap.
  struct Troubles {
    int paused = 0;
    int agent_silent = 0;
    int lies = 0;
    int sentinel = 0;
    int vmm_silent = 0;
    int stuck = 0;
    int partial = 0;
  };

  void Pass(MonotonicTime now, int64_t spare, Measures& measures);
  void Measure(Nanos span, int64_t spare, Measures& measures);
  void Happen(MonotonicTime now);
  void Apply(const Change& change, MonotonicTime now);
  void NextSegments(MonotonicTime now);
  void Show(MonotonicTime now, GuestSight& sight);
  void ShowStatistics(MonotonicTime now, GuestSight& sight);
  SimulatedAgent::Word Listen(MonotonicTime now, GuestSight& sight);
  void Schedule(MonotonicTime now);
  void WaitForAgent(MonotonicTime now);

  const GuestPlan* plan_;
  GuestModel model_;
  SimulatedAgent agent_;
  Nanos soon_;  // who has eaten all within this time rings the bridge's bell, as at its mailbox
  std::unique_ptr<Workload> workload_;
  MonotonicTime began_;
  MonotonicTime at_;
  MonotonicTime due_;
  MonotonicTime segment_end_;
  MonotonicTime boots_at_;
  MonotonicTime paused_at_;
  MonotonicTime jumped_until_;
  Nanos jumped_by_;
  std::vector<Change> changes_;  // in the order of time
  size_t next_change_ = 0;
  Troubles troubles_;
  int64_t lie_ = 0;
  // As they were at `at_`, for the integrals.
  int64_t resident_ = 0;
  int64_t used_ = 0;
  int64_t stalled_ns_ = 0;
  int64_t kills_ = 0;
  bool starves_ = false;
  bool starved_by_us_ = false;
  bool busy_ = true;
  bool rebooted_ = false;
  bool started_ = false;
};

}  // namespace ballast::sim
