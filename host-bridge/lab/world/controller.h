// What drives the balloons of a simulated host: Ballast, a rival's rule, or nobody. A controller sees what
// the real one could see, and never the model itself.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/time.h"
#include "host-bridge/lab/scenario/planned_world.h"
#include "host-bridge/policy/snapshot.h"

namespace ballast::sim {

// A world's first instant. Not zero, which is what an unset time is.
inline constexpr MonotonicTime kWorldBegan = {3'600'000'000'000};

// One guest as its VMM and its agent show it.
struct GuestSight {
  const GuestPlan* plan = nullptr;  // limits and boot memory: what its operator configured
  bool vmm_answers = true;          // else the numbers below are old
  bool running = true;
  bool rebooted = false;      // since this controller last looked
  int64_t balloon_bytes = 0;  // actual
  int64_t target_bytes = 0;   // as the device holds it; a VMM that cannot be asked does not show it
  int64_t plugged_bytes = 0;  // beside the boot memory
  int64_t plug_requested_bytes = 0;
  // The balloon's statistics virtqueue, as /proc/meminfo at `stats_at`. -1: the VMM has none (its sentinel).
  MonotonicTime stats_at;
  int64_t total_bytes = -1;
  int64_t available_bytes = -1;
  int64_t free_bytes = -1;
  int64_t cache_bytes = -1;
  int64_t swap_used_bytes = -1;
  int64_t major_faults = -1;  // since boot
  // What an agent in the guest tells, when one reports; its time is that of the host, as the bridge converts
  // it.
  std::optional<Sampled<policy::GuestReading>> report;
  int64_t resident_bytes = 0;  // RSS of the VMM
};

struct HostSight {
  int64_t total_bytes = 0;
  int64_t available_bytes = 0;
  int64_t swap_used_bytes = 0;
  int32_t some_permyriad = 0;  // PSI memory over the last second
  int32_t full_permyriad = 0;
  int32_t some_avg10_permyriad = 0;  // as the kernel averages
};

struct WorldSight {
  MonotonicTime now;
  HostSight host;
  std::vector<GuestSight> guests;  // in the plan's order, also before a guest has booted (then not running)
};

struct Command {
  size_t guest = 0;
  int64_t balloon_bytes = 0;  // the device's new target
  // Instead of a balloon's target: what shall be plugged beside the boot memory.
  std::optional<int64_t> plug_bytes = std::nullopt;
};

// The devices it is meant to be used with.
struct DeviceChoice {
  bool deflate_on_oom = true;
  bool free_page_reporting = false;
};

class Controller {
 public:
  virtual ~Controller() = default;
  // Time between two looks. An event-driven one is called at each step of the world besides (its agents wake
  // it), and its commands take effect after `latency`.
  [[nodiscard]] virtual Nanos period() const = 0;
  [[nodiscard]] virtual bool event_driven() const { return false; }
  [[nodiscard]] virtual Nanos latency() const { return Milliseconds(5); }
  // Appends to `commands`; never clears it.
  virtual void Look(const WorldSight& sight, std::vector<Command>& commands) = 0;
  // Whether nothing will be decided before `sight.now + period()` as long as the guests stay as they are: the
  // world may then take a longer step.
  [[nodiscard]] virtual bool at_rest() const { return true; }
  // Asked for once before the first look: from then on each decision adds a line. One that keeps silent need
  // not override it. `log` outlives the controller's last look.
  virtual void ExplainTo([[maybe_unused]] std::vector<std::string>* log) {}
};

// One row of the list of rivals.
struct ControllerKind {
  std::string name;    // "hypeman"
  std::string source;  // where its rule and constants come from, for the report
  DeviceChoice device;
  std::function<std::unique_ptr<Controller>(const WorldPlan&)> make;
};

}  // namespace ballast::sim
