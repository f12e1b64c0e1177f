// Small worlds for the tests: guests whose programs follow a script, and a controller that is a function.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "host-bridge/lab/world/controller.h"
#include "host-bridge/lab/world/run.h"

namespace ballast::sim {

// The script's segments, then the last one for ever.
class ScriptedWorkload final : public Workload {
 public:
  explicit ScriptedWorkload(std::vector<Segment> script) : script_(std::move(script)) {}
  Segment Next() override {
    const Segment segment = script_[next_];
    if (next_ + 1 < script_.size()) ++next_;
    return segment;
  }

 private:
  std::vector<Segment> script_;
  size_t next_ = 0;
};

inline WorkloadFactory Script(std::vector<Segment> script) {
  return [script] { return std::make_unique<ScriptedWorkload>(script); };
}

// A guest that holds `anon` and does nothing else.
inline GuestPlan QuietGuest(const std::string& name, int64_t boot_bytes, int64_t anon) {
  GuestPlan guest;
  guest.limits.name = name;
  guest.boot_bytes = boot_bytes;
  guest.workload = Script({{.length = Seconds(300), .anon_bytes = anon}});
  return guest;
}

inline WorldPlan SmallWorld(Nanos length, std::vector<GuestPlan> guests) {
  WorldPlan plan;
  plan.length = length;
  plan.guests = std::move(guests);
  return plan;
}

inline HostPlan Host(int64_t total, int64_t others, int64_t swap = 0) {
  HostPlan host;
  host.total_bytes = total;
  host.others_bytes = others;
  host.swap_bytes = swap;
  return host;
}

using LookFunction = std::function<void(const WorldSight&, std::vector<Command>&)>;

struct Manner {
  Nanos period = Seconds(1);
  bool event_driven = false;
  Nanos latency = Milliseconds(5);
  bool rests = false;
  DeviceChoice device = {};
};

// Calls `look` each time; it may record what it sees.
inline ControllerKind FunctionController(LookFunction look, Manner manner = {}) {
  class Called final : public Controller {
   public:
    Called(LookFunction look, Manner manner) : look_(std::move(look)), manner_(manner) {}
    Nanos period() const override { return manner_.period; }
    bool event_driven() const override { return manner_.event_driven; }
    Nanos latency() const override { return manner_.latency; }
    bool at_rest() const override { return manner_.rests; }
    void Look(const WorldSight& sight, std::vector<Command>& commands) override { look_(sight, commands); }

   private:
    LookFunction look_;
    Manner manner_;
  };
  return {.name = "function",
          .source = "a test",
          .device = manner.device,
          .make = [look, manner](const WorldPlan&) { return std::make_unique<Called>(look, manner); }};
}

inline Nanos TimeOf(const WorldSight& sight) { return sight.now - kWorldBegan; }

// Once, when `at` is reached, sets the first guest's balloon.
inline LookFunction SetOnceAt(Nanos at, int64_t balloon_bytes) {
  return [at, balloon_bytes, done = false](const WorldSight& sight, std::vector<Command>& commands) mutable {
    if (done || TimeOf(sight) < at) return;
    done = true;
    commands.push_back({0, balloon_bytes});
  };
}

}  // namespace ballast::sim
