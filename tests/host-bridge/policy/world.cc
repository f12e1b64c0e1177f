#include "tests/host-bridge/policy/world.h"

#include <algorithm>
#include <utility>

namespace ballast::policy {

Guest::Guest(std::string name) {
  facts_.limits.name = std::move(name);
  Boot(kGiB).Available(512 * kMiB);
}

Guest& Guest::Boot(int64_t bytes) {
  vmm_.base_bytes = bytes;
  return *this;
}
Guest& Guest::Balloon(int64_t bytes) {
  vmm_.balloon_actual = {bytes};
  return *this;
}
Guest& Guest::Target(int64_t bytes) {
  facts_.history.target = BalloonBytes{bytes};
  return *this;
}
Guest& Guest::Total(int64_t bytes) {
  reading_.total_bytes = bytes;
  total_given_ = true;
  return *this;
}
Guest& Guest::Available(int64_t bytes) {
  reading_.available_bytes = bytes;
  return *this;
}
Guest& Guest::Free(int64_t bytes) {
  reading_.free_bytes = bytes;
  return *this;
}
Guest& Guest::Consumption(int64_t bytes_per_second) {
  reading_.consumption_bytes_per_second = bytes_per_second;
  return *this;
}
Guest& Guest::Refault(int64_t bytes_per_second) {
  reading_.refault_bytes_per_second = bytes_per_second;
  return *this;
}
Guest& Guest::Stall(int32_t permyriad) {
  reading_.stall_permyriad = permyriad;
  return *this;
}
Guest& Guest::Floor(int64_t bytes) {
  facts_.limits.floor_bytes = bytes;
  return *this;
}
Guest& Guest::Baseline(int64_t bytes) {
  facts_.limits.baseline_bytes = bytes;
  return *this;
}
Guest& Guest::Ceiling(int64_t bytes) {
  facts_.limits.ceiling_bytes = bytes;
  return *this;
}
Guest& Guest::Weight(int32_t weight) {
  facts_.limits.weight = weight;
  return *this;
}
Guest& Guest::In(Mode mode) {
  facts_.limits.mode = mode;
  return *this;
}
Guest& Guest::ReportAge(Nanos age) {
  report_age_ = age;
  return *this;
}
Guest& Guest::VmmAge(Nanos age) {
  vmm_age_ = age;
  return *this;
}
Guest& Guest::NoReport() {
  has_report_ = false;
  return *this;
}
Guest& Guest::NoVmm() {
  has_vmm_ = false;
  return *this;
}
Guest& Guest::Paused() {
  vmm_.running = false;
  return *this;
}

Guest& Guest::Plugged(int64_t bytes, int64_t most) {
  vmm_.plug = PlugReading{bytes, bytes, most, 128 * kMiB, bytes};
  reading_.blocks = BlockReading{0, bytes, {}};
  return *this;
}

Guest& Guest::Room(int64_t bytes) {
  reading_.blocks->room_bytes = bytes;
  return *this;
}

Guest& Guest::Resident(int64_t bytes) {
  vmm_.resident_bytes = bytes;
  return *this;
}

GuestFacts Guest::At(MonotonicTime now) const {
  GuestFacts facts = facts_;
  GuestReading reading = reading_;
  const int64_t outside = vmm_.plug ? vmm_.plug->outside_base_bytes : 0;
  if (!total_given_) reading.total_bytes = vmm_.base_bytes + outside - vmm_.balloon_actual.count;
  if (has_report_) facts.report = Sampled<GuestReading>{reading, now - report_age_};
  if (has_vmm_) facts.vmm = Sampled<VmmReading>{vmm_, now - vmm_age_};
  return facts;
}

World::World() { Host(64 * kGiB, 32 * kGiB); }

World& World::Host(int64_t total, int64_t available, int32_t some_permyriad, int32_t full_permyriad) {
  snapshot.host = Sampled<HostReading>{{total, available, some_permyriad, full_permyriad}, now};
  return *this;
}

World& World::NoHost() {
  snapshot.host.reset();
  return *this;
}

World& World::With(const Guest& guest) {
  snapshot.guests.push_back(guest.At(now));
  return *this;
}

World& World::Hold(const std::string& name, int64_t bytes, Maybe<MonotonicTime> until) {
  snapshot.reclaim_holds.push_back({name, bytes, until});
  return *this;
}

Outcome World::Tick() {
  Outcome outcome = Decide(snapshot, config, now);
  for (size_t i = 0; i < snapshot.guests.size(); ++i) snapshot.guests[i].history = outcome.histories[i];
  snapshot.host_history = outcome.host_history;
  return outcome;
}

World& World::LaterUnheard(Nanos span) {
  now = now + span;
  if (snapshot.host) snapshot.host->at = snapshot.host->at + span;
  for (GuestFacts& facts : snapshot.guests) {
    if (facts.vmm) facts.vmm->at = facts.vmm->at + span;
  }
  return *this;
}

World& World::Later(Nanos span) {
  LaterUnheard(span);
  for (GuestFacts& facts : snapshot.guests) {
    if (facts.report) facts.report->at = facts.report->at + span;
  }
  return *this;
}

// The guest has `bytes` more, or less.
static void Grow(GuestReading& reading, int64_t bytes) {
  reading.total_bytes += bytes;
  reading.available_bytes = std::max<int64_t>(0, reading.available_bytes + bytes);
  reading.free_bytes = std::clamp<int64_t>(reading.free_bytes + bytes, 0, reading.available_bytes);
}

void World::Obey(const Outcome& outcome) {
  for (const PlugDecision& decision : outcome.plugs) {
    if (!decision.act) continue;
    GuestFacts& facts = snapshot.guests[decision.guest];
    PlugReading& plug = *facts.vmm->value.plug;
    const int64_t added = decision.target - plug.plugged_bytes;
    plug.outside_base_bytes += added;
    plug.plugged_bytes = plug.requested_bytes = decision.target;
    if (facts.report) {
      Grow(facts.report->value, added);
      facts.report->value.blocks->movable_bytes += added;
    }
    if (snapshot.host) snapshot.host->value.available_bytes -= added;
  }
  for (const Decision& decision : outcome.decisions) {
    if (!decision.act) continue;
    GuestFacts& facts = snapshot.guests[decision.guest];
    const int64_t taken = decision.target.count - facts.vmm->value.balloon_actual.count;
    facts.vmm->value.balloon_actual = decision.target;
    if (facts.report) Grow(facts.report->value, -taken);
    if (snapshot.host) snapshot.host->value.available_bytes += taken;
  }
}

std::vector<World::Event> World::Live(int seconds) {
  std::vector<Event> events;
  for (int second = 0; second < seconds; ++second) {
    const Outcome outcome = Tick();
    for (const Decision& decision : outcome.decisions) events.push_back({now, decision});
    for (const PlugDecision& plug : outcome.plugs) events.push_back({now, {}, plug});
    Obey(outcome);
    Later(Seconds(1));
  }
  return events;
}

GuestFacts& World::Of(const std::string& name) {
  return *std::find_if(snapshot.guests.begin(), snapshot.guests.end(),
                       [&](const GuestFacts& facts) { return facts.limits.name == name; });
}

std::optional<Decision> DecisionFor(const World& world, const Outcome& outcome, const std::string& name) {
  for (const Decision& decision : outcome.decisions) {
    if (world.snapshot.guests[decision.guest].limits.name == name) return decision;
  }
  return std::nullopt;
}

std::optional<PlugDecision> PlugFor(const World& world, const Outcome& outcome, const std::string& name) {
  for (const PlugDecision& decision : outcome.plugs) {
    if (world.snapshot.guests[decision.guest].limits.name == name) return decision;
  }
  return std::nullopt;
}

std::optional<Hold::Why> HoldFor(const World& world, const Outcome& outcome, const std::string& name) {
  for (const Hold& hold : outcome.holds) {
    if (world.snapshot.guests[hold.guest].limits.name == name) return hold.why;
  }
  return std::nullopt;
}

}  // namespace ballast::policy
