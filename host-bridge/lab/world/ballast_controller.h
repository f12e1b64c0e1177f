// Ballast in the simulator: the facts of the world as a snapshot, and the same Decide() that the bridge
// calls.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host-bridge/lab/world/controller.h"
#include "host-bridge/policy/decide.h"

namespace ballast::sim {

class BallastController final : public Controller {
 public:
  explicit BallastController(const WorldPlan& plan);

  [[nodiscard]] Nanos period() const override { return Seconds(1); }
  [[nodiscard]] bool event_driven() const override { return true; }
  void Look(const WorldSight& sight, std::vector<Command>& commands) override;
  [[nodiscard]] bool at_rest() const override { return at_rest_; }
  void ExplainTo(std::vector<std::string>* log) override { log_ = log; }

 private:
  void SeeHost(const WorldSight& sight);
  void SeeGuest(const GuestSight& sight, MonotonicTime now, policy::GuestFacts& facts,
                std::optional<MonotonicTime>& shrank_at);
  void Act(const policy::Outcome& outcome, std::vector<Command>& commands, MonotonicTime now);
  [[nodiscard]] const std::string& NameOf(size_t guest) const { return snapshot_.guests[guest].limits.name; }
  void Log(const std::string& line, MonotonicTime now);

  const policy::PolicyConfig config_;
  policy::Snapshot snapshot_;
  policy::Decider decider_;
  std::vector<std::optional<MonotonicTime>> shrank_at_;  // when memory was last on its way out of each guest
  std::vector<std::string>* log_ = nullptr;
  MonotonicTime decided_at_;
  bool at_rest_ = false;
};

// With deflate-on-OOM and free page reporting, as the README says to start the VMM.
[[nodiscard]] ControllerKind Ballast();
[[nodiscard]] ControllerKind BallastWithoutReporting();
// The same guests without deflate-on-oom: nothing but Ballast stands between a burst and the OOM killer.
[[nodiscard]] ControllerKind BallastWithoutDeflate();

}  // namespace ballast::sim
