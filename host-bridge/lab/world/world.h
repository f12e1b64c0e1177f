// One world while it runs: the clock, the guests, the host, the controller and what was measured so far.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "host-bridge/lab/model/host_model.h"
#include "host-bridge/lab/world/due_times.h"
#include "host-bridge/lab/world/guest_run.h"
#include "host-bridge/lab/world/reversals.h"
#include "host-bridge/lab/world/run.h"

namespace ballast::sim {

class World {
 public:
  // `plan` and `options` outlive it.
  World(const WorldPlan& plan, const ControllerKind& controller, const RunOptions& options);

  // To the end of the plan; once.
  RunResult Run();

 private:
  struct Pending {
    MonotonicTime at;
    Command command;
  };
  struct HostChange {
    MonotonicTime at;
    const HostEvent* event = nullptr;
    bool begins = true;
  };

  [[nodiscard]] MonotonicTime NextInstant() const;
  void StepTo(MonotonicTime now);
  void PassHostTime(MonotonicTime now);
  void HappenToHost();
  void Deliver();
  void Advance(size_t index);
  void CountHost();
  void KillLargest();
  void ConsiderLook();
  void RefreshSight();
  void Look();
  void Obey();
  void TakeSample();
  [[nodiscard]] int64_t Reserve() const;
  [[nodiscard]] int64_t Spare() const { return host_.available() - reserve_; }

  const WorldPlan& plan_;
  const RunOptions& options_;
  const MonotonicTime end_;
  std::unique_ptr<Controller> controller_;
  bool event_driven_ = false;
  Nanos period_;
  Nanos latency_;
  HostModel host_;
  int64_t reserve_ = 0;
  int64_t others_ = 0;
  int64_t resident_ = 0;  // sum over guests
  int64_t up_ = 0;        // VMMs that run
  std::vector<GuestRun> guests_;
  DueTimes due_;
  std::vector<Reversals> reversals_;
  std::vector<HostChange> host_changes_;
  size_t next_host_change_ = 0;
  std::vector<Pending> pending_;  // in the order of time
  size_t next_pending_ = 0;
  std::vector<Command> commands_;
  WorldSight sight_;
  MonotonicTime now_;
  MonotonicTime next_look_;
  MonotonicTime next_sample_;
  int64_t busy_ = 0;  // guests with something going on
  bool news_ = false;
  bool bell_ = false;
  RunResult result_;
  int64_t sampled_commands_ = 0;
  int64_t sampled_kills_ = 0;
  int64_t sampled_stalled_ns_ = 0;
};

}  // namespace ballast::sim
