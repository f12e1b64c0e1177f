// A world to show to a rival: guests whose numbers a test sets, and what the rival commanded.
#pragma once

#include <memory>
#include <vector>

#include "host-bridge/lab/world/controller.h"

namespace ballast::sim {

class Sights {
 public:
  // Guests of these boot sizes, running with an empty balloon, all of their memory free; a host of 64 GiB,
  // all of it available. Device choices do not matter here: a test sets what the guest shows.
  explicit Sights(std::vector<int64_t> boot_bytes);

  [[nodiscard]] const WorldPlan& plan() const { return plan_; }
  // Limits and events may be set until the rival is made.
  GuestPlan& guest_plan(size_t guest) { return plan_.guests[guest]; }
  GuestSight& guest(size_t guest) { return sight_.guests[guest]; }
  HostSight& host() { return sight_.host; }
  [[nodiscard]] const WorldSight& sight() const { return sight_; }
  [[nodiscard]] MonotonicTime now() const { return sight_.now; }

  // What the guest's kernel shows: MemTotal without the balloon (no deflate-on-oom) and as much available and
  // free.
  void Show(size_t guest, int64_t used_bytes);

  // Time passes; statistics are read anew.
  void Pass(Nanos span);
  // The rival looks; its commands.
  std::vector<Command> Look(Controller& controller);
  // The same, and the balloons arrive at once. Returns the guests' sizes.
  std::vector<int64_t> Obey(Controller& controller);
  [[nodiscard]] std::vector<int64_t> sizes() const;

 private:
  WorldPlan plan_;
  WorldSight sight_;
};

}  // namespace ballast::sim
