#include "tests/host-bridge/policy/property_story.h"

#include <algorithm>
#include <utility>

namespace ballast::policy {
namespace {

// A world that squeezes a hot cache reads it back within this long; one cannot tell less from noise.
constexpr int64_t kSecondsPerRefault = 2;

// What the guest's kernel would say at its present size.
void Read(GuestFacts& facts, const Nature& nature) {
  if (!facts.report || !facts.vmm) return;
  GuestReading& reading = facts.report->value;
  const Boxed<PlugReading>& plug = facts.vmm->value.plug;
  const int64_t base = facts.vmm->value.base_bytes + (plug ? plug->outside_base_bytes : 0);
  const int64_t size = base - facts.vmm->value.balloon_actual.count;
  if (plug) reading.blocks = BlockReading{0, plug->plugged_bytes, {}};
  const int64_t squeezed =
      std::clamp<int64_t>(nature.used_bytes + nature.hot_bytes - size, 0, nature.hot_bytes);
  reading.total_bytes = nature.keeps_total ? base : size;
  reading.available_bytes = std::max<int64_t>(0, size - nature.used_bytes);
  reading.free_bytes = std::max<int64_t>(0, reading.available_bytes - nature.hot_bytes);
  reading.refault_bytes_per_second = squeezed / kSecondsPerRefault;
  reading.stall_permyriad =
      nature.hot_bytes > 0 ? static_cast<int32_t>(squeezed / (nature.hot_bytes / 2'000 + 1)) : 0;
  reading.consumption_bytes_per_second = 0;
}

// Towards the target as fast as this balloon can, and never into what the guest uses.
int64_t NextActual(const GuestFacts& facts, const Nature& nature, Nanos span) {
  const int64_t base = facts.vmm->value.base_bytes;
  const int64_t actual = facts.vmm->value.balloon_actual.count;
  const int64_t target =
      std::clamp<int64_t>(facts.history.target.value_or(BalloonBytes{actual}).count, 0, base);
  if (nature.deaf) return actual;
  const auto reach = [&](int64_t speed) {
    return speed == 0 ? base : std::min(base, speed / 1'000 * (span.count / 1'000'000));
  };
  if (target < actual) return std::max(target, actual - reach(nature.give_bytes_per_second));
  const Boxed<PlugReading>& plug = facts.vmm->value.plug;
  const int64_t whole = base + (plug ? plug->outside_base_bytes : 0);
  const int64_t fills = std::max<int64_t>(actual, whole - nature.used_bytes - 4 * kMiB);
  return std::min({target, actual + reach(nature.take_bytes_per_second), fills});
}

// A VMM that plugs does so at once, beside its base; so does the guest with what it does not use. What was
// added.
int64_t FollowPlug(GuestFacts& facts, const Nature& nature) {
  VmmReading& vmm = facts.vmm->value;
  if (!vmm.plug || !facts.history.plug || !facts.history.plug->target || nature.deaf) return 0;
  PlugReading& plug = *vmm.plug;
  const int64_t boot = vmm.base_bytes + plug.outside_base_bytes - plug.plugged_bytes;
  plug.requested_bytes = std::clamp<int64_t>(*facts.history.plug->target, 0, plug.most_bytes);
  const int64_t needed = nature.used_bytes + vmm.balloon_actual.count - boot;
  const int64_t plugged = std::max(plug.requested_bytes, std::min(plug.plugged_bytes, needed));
  const int64_t added = plugged - plug.plugged_bytes;
  plug.plugged_bytes = plug.outside_base_bytes = plugged;
  return added;
}

void React(World& world, const Story& story, int64_t tick) {
  world.now = world.now + story.span;
  int64_t taken = 0;
  for (size_t i = 0; i < world.snapshot.guests.size(); ++i) {
    GuestFacts& facts = world.snapshot.guests[i];
    if (!facts.vmm || i >= story.natures.size()) continue;
    const Nature& nature = story.natures[i];
    const int64_t next = NextActual(facts, nature, story.span);
    taken += next - facts.vmm->value.balloon_actual.count;
    facts.vmm->value.balloon_actual = {next};
    taken -= FollowPlug(facts, nature);
    facts.vmm->at = world.now;
    if (!facts.report || tick % std::max<int64_t>(1, nature.report_every) != 0) continue;
    Read(facts, nature);
    facts.report->at = world.now;
  }
  if (!world.snapshot.host) return;
  HostReading& host = world.snapshot.host->value;
  host.available_bytes = std::clamp<int64_t>(host.available_bytes + taken, 0, host.total_bytes);
  world.snapshot.host->at = world.now;
}

World First(const Story& story) {
  World world;
  world.config = story.config;
  world.now = story.scenes.front().now;
  world.snapshot = story.scenes.front().snapshot;
  return world;
}

// The next look at a world in which a decision was made and remembered.
void Advance(World& world, const Story& story, int64_t look) {
  const auto scenes = static_cast<int64_t>(story.scenes.size());
  if (look >= scenes) return React(world, story, look - scenes + 1);
  Snapshot next = story.scenes[static_cast<size_t>(look)].snapshot;
  next.host_history = world.snapshot.host_history;
  for (size_t i = 0; i < next.guests.size() && i < world.snapshot.guests.size(); ++i)
    next.guests[i].history = world.snapshot.guests[i].history;
  world.snapshot = std::move(next);
  world.now = story.scenes[static_cast<size_t>(look)].now;
}

int64_t Looks(const Story& story) { return static_cast<int64_t>(story.scenes.size()) + story.ticks; }

void Remember(World& world, const Outcome& outcome) {
  for (size_t i = 0; i < world.snapshot.guests.size(); ++i)
    world.snapshot.guests[i].history = outcome.histories[i];
  world.snapshot.host_history = outcome.host_history;
}

}  // namespace

int64_t Story::Steps() const {
  return Looks(*this) * static_cast<int64_t>(scenes.front().snapshot.guests.size());
}

Broken Play(const Story& story, const Look& look) {
  World world = First(story);
  for (int64_t i = 0; i < Looks(story); ++i) {
    if (i > 0) Advance(world, story, i);
    const Outcome outcome = Decide(world.snapshot, world.config, world.now);
    if (Broken broken = look(world, outcome)) return broken;
    Remember(world, outcome);
  }
  return std::nullopt;
}

Story BeginLater(const Story& story, int64_t looks) {
  World world = First(story);
  for (int64_t i = 0; i < looks; ++i) {
    Remember(world, Decide(world.snapshot, world.config, world.now));
    Advance(world, story, i + 1);
  }
  Story later = story;
  const auto scenes = static_cast<int64_t>(story.scenes.size());
  const int64_t dropped = std::min(looks, scenes - 1);
  later.scenes.erase(later.scenes.begin(), later.scenes.begin() + dropped);
  later.scenes.front() = {world.now, world.snapshot};
  later.ticks = story.ticks - (looks - dropped);
  return later;
}

void Settle(Snapshot& snapshot, const std::vector<Nature>& natures) {
  for (size_t i = 0; i < natures.size(); ++i) Read(snapshot.guests[i], natures[i]);
}

bool IsConstant(const Story& story) {
  const Scene& first = story.scenes.front();
  const Snapshot& snapshot = first.snapshot;
  if (story.scenes.size() != 1 || story.natures.size() != snapshot.guests.size()) return false;
  if (!snapshot.host || snapshot.host->at != first.now || snapshot.host_history != HostHistory{})
    return false;
  for (size_t i = 0; i < snapshot.guests.size(); ++i) {
    const GuestFacts& facts = snapshot.guests[i];
    const bool heard =
        facts.vmm && facts.report && facts.vmm->at <= first.now && facts.report->at <= first.now;
    if (!heard || facts.rebooted || facts.resumed_at || facts.history != GuestHistory{}) return false;
    const Nature& nature = story.natures[i];
    const Boxed<PlugReading>& plug = facts.vmm->value.plug;
    const bool plain = !plug || (plug->outside_base_bytes == plug->plugged_bytes && plug->unit_bytes > 0 &&
                                 plug->requested_bytes == plug->plugged_bytes && plug->plugged_bytes >= 0 &&
                                 plug->plugged_bytes <= plug->most_bytes);
    if (!plain) return false;
    const int64_t outside = plug ? plug->outside_base_bytes : 0;
    const int64_t size = facts.vmm->value.base_bytes + outside - facts.vmm->value.balloon_actual.count;
    if (size <= 0 || nature.used_bytes < 0 || nature.hot_bytes < 0 || nature.used_bytes > size) return false;
    if (nature.report_every < 1 || nature.report_every * story.span.count > Seconds(10).count) return false;
  }
  Snapshot settled = snapshot;
  Settle(settled, story.natures);
  return settled == snapshot;
}

}  // namespace ballast::policy
