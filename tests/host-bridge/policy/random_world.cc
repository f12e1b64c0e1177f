#include "tests/host-bridge/policy/random_world.h"

#include <algorithm>
#include <array>
#include <limits>

#include "host-bridge/policy/arithmetic.h"

namespace ballast::policy {

int64_t RandomWorld::Hostile() {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  constexpr std::array<int64_t, 12> kNumbers = {0,
                                                1,
                                                -1,
                                                -4096,
                                                kMost,
                                                kMost - 1,
                                                -kMost - 1,
                                                int64_t{1} << 62,
                                                int64_t{1} << 50,
                                                int64_t{1} << 48,
                                                4095,
                                                kMiB + 1};
  return kNumbers[static_cast<size_t>(Between(0, kNumbers.size() - 1))];
}

int64_t RandomWorld::Size(int64_t most) {
  if (OneIn(60)) return Hostile();
  const int64_t size = Between(0, std::max<int64_t>(0, most));
  return OneIn(4) ? size : size / kMiB * kMiB;
}

MonotonicTime RandomWorld::Instant(MonotonicTime now, Nanos reach) {
  if (OneIn(60)) return {Hostile()};
  return {now.ns - Between(0, reach.count)};
}

GuestReading RandomWorld::MakeReading(int64_t base, int64_t balloon) {
  GuestReading reading;
  reading.total_bytes = OneIn(3) ? base : std::max<int64_t>(0, base - balloon);
  if (OneIn(40)) reading.total_bytes = Hostile();
  reading.available_bytes = Size(OneIn(3) ? reading.total_bytes / 8 : reading.total_bytes);
  reading.free_bytes = std::min(reading.available_bytes, reading.total_bytes);
  if (OneIn(2)) reading.free_bytes = Size(std::max<int64_t>(0, reading.free_bytes));
  if (OneIn(4)) reading.consumption_bytes_per_second = Size(4 * kGiB);
  if (OneIn(6)) reading.refault_bytes_per_second = Size(OneIn(2) ? kGiB : 4 * kMiB);
  if (OneIn(4)) reading.stall_permyriad = static_cast<int32_t>(Between(-1, OneIn(2) ? 20 : 10'001));
  if (OneIn(90)) reading.oom_kills = Hostile();
  if (OneIn(6)) reading.pressure_onset = MonotonicTime{OneIn(9) ? Hostile() : Between(0, 1'000'000'000'000)};
  MakeParts(reading);
  return reading;
}

void RandomWorld::MakeParts(GuestReading& reading) {
  const int64_t total = std::max<int64_t>(0, reading.total_bytes);
  if (OneIn(6)) reading.kernel_headroom_bytes = OneIn(60) ? Hostile() : Between(-64, 512) * kMiB;
  if (OneIn(4)) reading.giveable_bytes = OneIn(3) ? 0 : Size(total);
  if (!OneIn(4)) return;
  reading.zram_left_bytes = Size(OneIn(3) ? total / 32 : total / 2);
  reading.zram_stored_bytes = Size(OneIn(2) ? total / 8 : total / 2);
  if (OneIn(2)) reading.zram_full_in = OneIn(60) ? Nanos{Hostile()} : Milliseconds(Between(0, 20'000));
  reading.zram_refuses = OneIn(10);
}

VmmReading RandomWorld::MakeVmm(int64_t base) {
  VmmReading vmm{.base_bytes = base, .balloon_actual = {OneIn(3) ? 0 : Size(base)}, .running = !OneIn(20)};
  if (OneIn(3)) vmm.resident_bytes = Size(base);
  return vmm;
}

void RandomWorld::SpoilIdleHistory(GuestHistory& history, int64_t base, MonotonicTime now) {
  if (OneIn(2)) history.calm_since = Instant(now, Seconds(4000));
  if (OneIn(3)) {
    history.recent_peak_bytes = Size(base);
    history.earlier_peak_bytes = Size(base);
    history.peak_window_since = Instant(now, Seconds(300));
  }
  if (OneIn(3)) {
    history.idle_step = {Size(OneIn(2) ? kGiB : base)};
    history.idle_step_at = Instant(now, OneIn(2) ? Seconds(12) : Seconds(700));
  }
  if (OneIn(4)) history.idle_wait = OneIn(6) ? Nanos{Hostile()} : Seconds(Between(0, 4000));
  if (OneIn(4)) history.regretted_at = Instant(now, Seconds(4000));
  if (OneIn(4)) history.held_back_since = Instant(now, Seconds(40));
  if (OneIn(4)) history.grown_on = Instant(now, Seconds(3));
  if (OneIn(4)) history.missed_at = Instant(now, Seconds(1000));
}

void RandomWorld::SpoilHistory(GuestHistory& history, int64_t base, MonotonicTime now) {
  if (OneIn(2)) history.target = BalloonBytes{Size(base)};
  if (OneIn(3)) history.last_actual = BalloonBytes{Size(base)};
  if (OneIn(3)) history.last_actual_at = Instant(now, Seconds(10));
  history.state = static_cast<GuestState>(Between(0, 4));
  history.state_since = Instant(now, Seconds(100));
  if (OneIn(6)) history.critical_seen = Instant(now, Seconds(10));
  if (OneIn(6)) history.pressed_seen = Instant(now, Seconds(10));
  if (OneIn(6)) history.comfortable_seen = Instant(now, Seconds(10));
  history.progress_since = Instant(now, Seconds(10));
  history.progress_actual = {Size(base)};
  if (OneIn(8)) history.inflate_blocked_until = Instant(now + Seconds(60), Seconds(600));
  if (OneIn(8)) history.next_block = {Hostile()};
  if (OneIn(4)) history.last_inflate = Instant(now, Seconds(20));
  if (OneIn(6)) history.silent_since = Instant(now, Seconds(60));
  if (OneIn(6)) history.shown_target = BalloonBytes{Size(base)};
  if (OneIn(4)) history.give_bytes_per_second = Size(8 * kGiB);
  if (OneIn(4)) history.take_bytes_per_second = Size(8 * kGiB);
  SpoilIdleHistory(history, base, now);
}

void RandomWorld::SetLimits(GuestLimits& limits, int64_t base) {
  if (OneIn(3)) limits.floor_bytes = Size(base / 2);
  if (OneIn(3)) limits.baseline_bytes = Size(base);
  if (OneIn(3)) limits.ceiling_bytes = Size(base);
  if (OneIn(9)) limits.ceiling_bytes = int64_t{64} * kGiB;  // room to plug
  limits.weight = static_cast<int32_t>(OneIn(30) ? Between(-5, 20'000) : Between(1, 400));
  limits.mode = static_cast<Mode>(OneIn(3) ? Between(0, 3) : 3);
}

GuestFacts RandomWorld::MakeGuest(int index, MonotonicTime now) {
  GuestFacts facts;
  const int64_t base = OneIn(40) ? Hostile() : Between(64, 16384) * kMiB + (OneIn(10) ? 4096 : 0);
  facts.limits.name = "guest-" + std::to_string(index);
  SetLimits(facts.limits, base);
  const VmmReading vmm = MakeVmm(base);
  const int64_t balloon = std::clamp<int64_t>(vmm.balloon_actual.count, 0, std::max<int64_t>(0, base));
  facts.rebooted = OneIn(30);
  if (OneIn(10)) facts.resumed_at = Instant(now, Seconds(60));
  if (!OneIn(20)) facts.vmm = Sampled<VmmReading>{vmm, Instant(now, Seconds(16))};
  if (!OneIn(20)) {
    const Nanos reach = OneIn(6) ? Seconds(60) : Seconds(11);
    facts.report =
        Sampled<GuestReading>{MakeReading(std::max<int64_t>(0, base), balloon), Instant(now, reach)};
  }
  if (OneIn(6)) {
    facts.request = MemoryRequest{.id = Between(1, 9),
                                  .bytes = Size(OneIn(2) ? kGiB : std::max<int64_t>(0, base)),
                                  .urgency = static_cast<Urgency>(Between(0, 2)),
                                  .deadline = Instant(now + Seconds(5), Seconds(6))};
  }
  if (OneIn(2)) SpoilHistory(facts.history, base, now);
  if (OneIn(3)) AddPlug(facts, now);
  return facts;
}

// What the guest says of a plugged VM.
void RandomWorld::AddBlocks(GuestFacts& facts) {
  if (!facts.report || !facts.vmm || !facts.vmm->value.plug || OneIn(9)) return;
  const PlugReading& plug = *facts.vmm->value.plug;
  GuestReading& reading = facts.report->value;
  BlockReading& blocks = reading.blocks.emplace();
  const bool plain = plug.plugged_bytes >= 0 && plug.plugged_bytes <= 64 * kGiB;
  const int64_t plugged = plain ? plug.plugged_bytes : 0;
  if (OneIn(6)) blocks.offline_bytes = Size(plugged);
  blocks.movable_bytes =
      OneIn(2) ? plugged - std::clamp<int64_t>(blocks.offline_bytes, 0, plugged) : Size(plugged);
  if (OneIn(2)) blocks.room_bytes = Size(OneIn(2) ? 4 * kGiB : 64 * kMiB);
  const bool beside = plug.outside_base_bytes == plug.plugged_bytes;
  if (beside && reading.total_bytes < 64 * kGiB) reading.total_bytes += plugged;
  if (OneIn(4)) reading.available_bytes = Size(64 * kMiB);
}

void RandomWorld::AddPlug(GuestFacts& facts, MonotonicTime now) {
  if (!facts.vmm) return;
  VmmReading& vmm = facts.vmm->value;
  PlugReading& plug = vmm.plug.emplace();
  plug.unit_bytes = OneIn(60) ? Hostile() : (OneIn(2) ? 128 : Between(1, 64)) * kMiB;
  const int64_t unit = std::clamp<int64_t>(plug.unit_bytes, 1, kGiB);
  plug.most_bytes = OneIn(60) ? Hostile() : Between(0, 64) * unit;
  const int64_t most = std::clamp<int64_t>(plug.most_bytes / unit, 0, 1024);
  plug.plugged_bytes = OneIn(3) ? 0 : OneIn(60) ? Hostile() : Between(0, most) * unit;
  plug.requested_bytes = OneIn(6) ? Between(0, most) * unit : plug.plugged_bytes;
  plug.outside_base_bytes = OneIn(2) ? 0 : plug.plugged_bytes;
  if (OneIn(2)) vmm.balloon_actual = {0};
  AddBlocks(facts);
  if (!OneIn(3)) facts.history.calm_since = Instant(now + Seconds(-300), Seconds(3600));
  if (OneIn(2)) return;
  PlugHistory& history = facts.history.plug.emplace();
  if (OneIn(4)) {
    // On its way for long, and nothing has moved.
    plug.requested_bytes = most * unit;
    if (OneIn(2)) plug.plugged_bytes = plug.outside_base_bytes = 0;
    const bool says = facts.report && facts.report->value.blocks;
    const int64_t offline = says ? facts.report->value.blocks->offline_bytes : 0;
    history.seen_bytes = Sub(plug.plugged_bytes, std::min(offline, plug.plugged_bytes));
    history.moved_at = Instant(now + Seconds(-20), Seconds(100));
    return;
  }
  if (OneIn(2)) history.target = OneIn(60) ? Hostile() : Between(0, most) * unit;
  history.from_bytes = OneIn(4) ? Size(64 * unit) : plug.plugged_bytes;
  history.total_before_bytes = Size(16 * kGiB);
  if (OneIn(3)) history.offline_before_bytes = Size(kGiB);
  history.seen_bytes = OneIn(2) ? plug.plugged_bytes : Size(16 * kGiB);
  history.moved_at = Instant(now, Seconds(OneIn(2) ? 2 : 100));
  if (OneIn(2)) history.short_since = Instant(now, Seconds(3));
  if (OneIn(4)) history.unplug_step_bytes = Size(kGiB);
  if (OneIn(6)) history.blocked_until = Instant(now + Seconds(30), Seconds(60));
  if (OneIn(6)) history.unplug_blocked_until = Instant(now + Seconds(30), Seconds(60));
  if (OneIn(6)) history.next_block = {Hostile()};
  if (OneIn(6)) history.shown_target = Size(kGiB);
}

void RandomWorld::MakeConfig(PolicyConfig& config) {
  config.alignment_bytes = OneIn(2) ? 4 * kKiB : 4 * kMiB;
  config.max_step_bytes = Between(16, 4096) * kMiB;
  config.max_step_permyriad = static_cast<int32_t>(Between(0, 3000));
  config.dead_band_bytes = Between(0, 64) * kMiB;
  config.inflate_cooldown = Milliseconds(Between(0, 60'000));
  config.leave_dwell = Milliseconds(Between(0, 9000));
  config.host_reserve_permyriad = static_cast<int32_t>(Between(0, 5000));
  config.guest_reserve_permyriad = static_cast<int32_t>(Between(0, 2000));
  config.guest_reserve_min_bytes = Between(0, 512) * kMiB;
  config.idle_tax_permyriad = static_cast<int32_t>(Between(0, 10'000));
  config.zram_short_permyriad = static_cast<int32_t>(Between(0, 5000));
  config.zram_donor_permyriad = static_cast<int32_t>(Between(0, 5000));
  config.zram_horizon = Seconds(Between(0, 30));
  config.kernel_short_bytes = Between(0, 64) * kMiB;
  config.idle_after = Seconds(Between(0, 100));
  config.idle_interval = Seconds(Between(1, 20));
  config.idle_max_wait = Seconds(Between(100, 7200));
  config.working_set_window = Seconds(Between(1, 300));
  // One that contradicts itself: then nothing is done.
  config.plug_after = Milliseconds(Between(0, 5000));
  config.plug_horizon = Milliseconds(Between(0, 5000));
  config.plug_patience = Seconds(Between(1, 20));
  config.unplug_after = Seconds(Between(0, 300));
  config.unplug_patience = Seconds(Between(1, 90));
  if (OneIn(40)) config.lease = Milliseconds(1);
}

void RandomWorld::MakeHost(World& world) {
  const int64_t total = OneIn(40) ? Hostile() : Between(1, 128) * kGiB;
  world.Host(total, OneIn(2) ? total / 10 + Between(0, kGiB) : Size(total));
  world.snapshot.host->at = Instant(world.now, Seconds(11));
  if (OneIn(10)) world.snapshot.host->value.some_permyriad = static_cast<int32_t>(Between(0, 10'001));
  if (OneIn(10)) world.snapshot.host->value.full_permyriad = static_cast<int32_t>(Between(0, 10'001));
  if (OneIn(10)) world.NoHost();
  HostHistory& history = world.snapshot.host_history;
  history.state = static_cast<HostState>(Between(0, 3));
  if (OneIn(6)) history.pressure_seen = Instant(world.now, Seconds(10));
  if (OneIn(6)) history.critical_seen = Instant(world.now, Seconds(10));
}

World RandomWorld::Make() { return Make(Between(1, 7)); }

World RandomWorld::Make(int64_t guests) {
  World world;
  world.now = {Seconds(10'000).count + Between(0, 1'000'000'000'000)};
  if (OneIn(50)) world.now = {Between(0, 1'000'000'000)};  // the host has just booted
  if (OneIn(5)) MakeConfig(world.config);
  MakeHost(world);
  const int64_t holds = OneIn(3) ? Between(1, 3) : 0;
  for (int i = 0; i < holds; ++i) {
    ReclaimHold hold{.name = "hold-" + std::to_string(i), .bytes = Size(32 * kGiB)};
    if (OneIn(2)) hold.until = Instant(world.now + Seconds(30), Seconds(60));
    world.snapshot.reclaim_holds.push_back(hold);
  }
  for (int i = 0; i < guests; ++i) world.snapshot.guests.push_back(MakeGuest(i, world.now));
  return world;
}

void RandomWorld::Disturb(World& world) {
  const Nanos span = OneIn(4) ? Seconds(Between(7, 150)) : Milliseconds(Between(0, 7000));
  world.now = world.now + span;
  // The host slept for a day, or its clock is broken and went back.
  if (OneIn(40)) world.now = world.now + Seconds(OneIn(2) ? 86'400 : -Between(1, 3600));
  if (world.snapshot.host) world.snapshot.host->at = world.now;
  for (GuestFacts& facts : world.snapshot.guests) {
    facts.rebooted = OneIn(60);
    if (!facts.vmm || OneIn(12)) continue;  // its VMM does not answer this time
    facts.vmm->at = Instant(world.now, Seconds(1));
    VmmReading& vmm = facts.vmm->value;
    const bool plain = vmm.base_bytes > 0 && vmm.base_bytes < 1024 * kGiB;
    if (plain && facts.history.target && OneIn(2)) vmm.balloon_actual = *facts.history.target;
    if (plain && OneIn(6)) vmm.balloon_actual = {Between(0, vmm.base_bytes)};
    if (vmm.plug && facts.history.plug && facts.history.plug->target && !OneIn(3)) {
      const bool outside = vmm.plug->outside_base_bytes == vmm.plug->plugged_bytes;
      vmm.plug->requested_bytes = *facts.history.plug->target;
      if (!OneIn(3)) vmm.plug->plugged_bytes = *facts.history.plug->target;
      vmm.plug->outside_base_bytes = outside ? vmm.plug->plugged_bytes : 0;
    }
    if (plain && facts.report && !OneIn(6)) {
      const int64_t balloon = std::clamp<int64_t>(vmm.balloon_actual.count, 0, vmm.base_bytes);
      facts.report =
          Sampled<GuestReading>{MakeReading(vmm.base_bytes, balloon), Instant(world.now, Seconds(1))};
      AddBlocks(facts);
    }
  }
}

World RandomWorld::MakeHonest() {
  World world;
  const int64_t total = Between(8, 64) * kGiB;
  world.Host(total, OneIn(2) ? Between(0, total / 5) : Between(0, total));
  const int64_t guests = Between(1, 6);
  for (int i = 0; i < guests; ++i) {
    const int64_t base = Between(512, 16384) * kMiB;
    const int64_t size = OneIn(2) ? base : std::max(base / 4, 128 * kMiB) + Between(0, base / 2);
    Guest guest("guest-" + std::to_string(i));
    guest.Boot(base)
        .Balloon(base - size)
        .Available(Between(0, size))
        .Weight(static_cast<int32_t>(Between(1, 400)));
    if (OneIn(3)) guest.Baseline(std::max(base / 2, 512 * kMiB));
    // From numbers drawn already: the stories of those that cannot be plugged stay what they were.
    const int64_t drawn = base / kMiB;
    if (drawn % 3 == 0) guest.Plugged(drawn / 3 % 17 * 128 * kMiB, (16 + drawn / 7 % 48) * 128 * kMiB);
    if (OneIn(5)) guest.Stall(static_cast<int32_t>(Between(0, 4000)));
    world.With(guest);
  }
  return world;
}

}  // namespace ballast::policy
