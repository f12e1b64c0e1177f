// Builders for policy tests: a world of guests and a host, and a clock that only moves when told.
#pragma once

#include <string>
#include <vector>

#include "host-bridge/policy/decide.h"

namespace ballast::policy {

// One guest's facts, by default healthy and plain: 1 GiB booted, empty balloon, half of it available, heard
// just now.
//   Guest("web").Boot(kGiB).Balloon(768 * kMiB).Available(50 * kMiB)
class Guest {
 public:
  explicit Guest(std::string name);

  Guest& Boot(int64_t bytes);     // also MemTotal, less the balloon, unless Total says otherwise
  Guest& Balloon(int64_t bytes);  // actual
  Guest& Target(int64_t bytes);   // as commanded earlier
  Guest& Total(int64_t bytes);
  Guest& Available(int64_t bytes);
  Guest& Free(int64_t bytes);  // by default none: all that is available is page cache
  Guest& Consumption(int64_t bytes_per_second);
  Guest& Refault(int64_t bytes_per_second);
  Guest& Stall(int32_t permyriad);
  Guest& Floor(int64_t bytes);
  Guest& Baseline(int64_t bytes);
  Guest& Ceiling(int64_t bytes);
  Guest& Weight(int32_t weight);
  Guest& In(Mode mode);
  Guest& ReportAge(Nanos age);
  Guest& VmmAge(Nanos age);
  Guest& NoReport();
  Guest& NoVmm();
  Guest& Paused();
  // Hotplug by virtio-mem: so much is plugged and online as Movable, and so much could be, in units of 128
  // MiB.
  Guest& Plugged(int64_t bytes, int64_t most);
  Guest& Room(int64_t bytes);      // for the metadata of what is plugged
  Guest& Resident(int64_t bytes);  // host memory behind the guest, as the VMM's RSS says

  [[nodiscard]] GuestFacts At(MonotonicTime now) const;

 private:
  GuestFacts facts_;
  GuestReading reading_;
  VmmReading vmm_;
  bool total_given_ = false;
  bool has_report_ = true;
  bool has_vmm_ = true;
  Nanos report_age_ = Milliseconds(10);
  Nanos vmm_age_ = Milliseconds(10);
};

// Everything Decide sees, carried from tick to tick as the bridge does it.
struct World {
  PolicyConfig config;
  MonotonicTime now = {Seconds(1000).count};
  Snapshot snapshot;

  // By default 64 GiB with 32 GiB available: plenty.
  World();
  World& Host(int64_t total, int64_t available, int32_t some_permyriad = 0, int32_t full_permyriad = 0);
  World& NoHost();
  World& With(const Guest& guest);
  World& Hold(const std::string& name, int64_t bytes, Maybe<MonotonicTime> until = {});

  // One decision; its histories go into the snapshot.
  Outcome Tick();
  // Time passes and everything is read again as it was; the second keeps the agents silent.
  World& Later(Nanos span);
  World& LaterUnheard(Nanos span);
  // VMMs and guests do what was decided: actual, MemTotal, MemAvailable, MemFree and the host follow at once,
  // and so does what is plugged.
  void Obey(const Outcome& outcome);
  // So many seconds with a decision at the start of each, all obeyed; what was decided, with its time.
  struct Event {
    MonotonicTime at;
    Decision decision;
    std::optional<PlugDecision> plug = std::nullopt;  // then the decision says nothing
  };
  std::vector<Event> Live(int seconds);

  GuestFacts& Of(const std::string& name);
  GuestReading& Report(const std::string& name) { return Of(name).report->value; }
  void SetBalloon(const std::string& name, int64_t bytes) { Of(name).vmm->value.balloon_actual = {bytes}; }
};

// The decision for guest `name`; unset when there is none.
std::optional<Decision> DecisionFor(const World& world, const Outcome& outcome, const std::string& name);
std::optional<PlugDecision> PlugFor(const World& world, const Outcome& outcome, const std::string& name);
std::optional<Hold::Why> HoldFor(const World& world, const Outcome& outcome, const std::string& name);

}  // namespace ballast::policy
