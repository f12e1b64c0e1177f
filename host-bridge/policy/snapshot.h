// The facts one decision is made from. Plain values: readings with their ages, the operator's limits and the
// history that earlier decisions left. Nothing here knows gRPC, QMP or a clock.
//
// All sizes are bytes, all times the host's CLOCK_MONOTONIC, all shares permyriad (1/10,000).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/boxed.h"
#include "common/base/maybe.h"
#include "common/base/sampled.h"
#include "common/base/time.h"
#include "common/base/units.h"

namespace ballast::policy {

// What the bridge may do with a guest.
enum class Mode : uint8_t {
  kOff,      // look at nothing, do nothing
  kObserve,  // decide and log, do not act
  kGuard,    // only ever give memory
  kFull,     // give and take
};

// The five states of a guest; larger means more urgent. kSilent stands apart: its level is not known.
enum class GuestState : uint8_t { kSilent, kIdle, kComfortable, kPressed, kCritical };

enum class HostState : uint8_t { kUnknown, kHealthy, kPressure, kCritical };

// The operator's limits for one guest, as guest-visible bytes. Unset ones take their default from the boot
// memory once that is known: baseline = boot memory, floor = 25 % of it and at least 128 MiB, ceiling = boot
// and all that can be plugged.
struct GuestLimits {
  std::string name;  // unique; decides ties, so that the order of guests does not
  Maybe<int64_t> floor_bytes = {};
  Maybe<int64_t> baseline_bytes = {};
  Maybe<int64_t> ceiling_bytes = {};
  int32_t weight = 100;  // 1..10000, relative claim when memory is short
  Mode mode = Mode::kFull;

  friend bool operator==(const GuestLimits&, const GuestLimits&) = default;
};

// The guest's memory blocks by its agent's count. Each 0..2^48.
struct BlockReading {
  int64_t offline_bytes = 0;  // plugged, and not in use (yet)
  int64_t movable_bytes = 0;  // online in zone Movable: what can leave again
  // What can be plugged before the metadata of its pages (1/64) uses up what the kernel's zones can spare;
  // absent: any amount.
  Maybe<int64_t> room_bytes = {};

  friend bool operator==(const BlockReading&, const BlockReading&) = default;
};

// One report of the agent, already checked: 0 <= free, available <= total; rates within +-2^50; of zram and
// what can be given 0..2^48.
struct GuestReading {
  int64_t total_bytes = 0;                   // MemTotal
  int64_t available_bytes = 0;               // MemAvailable
  int64_t free_bytes = 0;                    // MemFree
  int64_t consumption_bytes_per_second = 0;  // fall of MemAvailable without the balloon's own part
  int64_t refault_bytes_per_second = 0;      // pages read back that had been evicted
  int32_t stall_permyriad = 0;               // PSI memory "some" over the last 100 ms
  bool zram_refuses = false;                 // zram refused writes just now: it is full
  int64_t oom_kills = 0;                     // since boot
  Maybe<MonotonicTime> pressure_onset = {};  // first stalled sample of this spell, on the host's clock
  // What the zones that serve the kernel have free above their low watermarks; absent without a Movable zone.
  Maybe<int64_t> kernel_headroom_bytes = {};
  // What the guest could give without a refault or a stall, by its own estimate.
  Maybe<int64_t> giveable_bytes = {};
  // Swap on zram, uncompressed: what still fits (absent: there is none), what it holds, and when it will be
  // full (absent: it does not grow).
  Maybe<int64_t> zram_left_bytes = {};
  int64_t zram_stored_bytes = 0;
  Maybe<Nanos> zram_full_in = {};
  Boxed<BlockReading> blocks = {};  // absent: its kernel has no memory hotplug, or an old agent

  friend bool operator==(const GuestReading&, const GuestReading&) = default;
};

// What the VMM says of the memory that was plugged beside the boot memory, and of what still could be. Only
// what Ballast may plug and unplug: a DIMM that somebody else added is part of the base and stays.
struct PlugReading {
  int64_t plugged_bytes = 0;  // DIMMs, and of virtio-mem what the guest has really taken
  int64_t requested_bytes =
      0;                   // DIMMs, and of virtio-mem what it is asked for: where plugged is on its way to
  int64_t most_bytes = 0;  // what requested could be raised to
  int64_t unit_bytes = 0;  // requested is a multiple of it; > 0
  int64_t outside_base_bytes = 0;  // of plugged: what VmmReading::base_bytes leaves out (virtio-mem)
  // Some of it is being taken out at this moment: what is available falls by that, and not by what the
  // guest's programs do.
  bool unplugging = false;

  friend bool operator==(const PlugReading&, const PlugReading&) = default;
};

// What the VMM says.
struct VmmReading {
  int64_t base_bytes = 0;       // boot RAM + DIMMs: what the guest has with an empty balloon
  BalloonBytes balloon_actual;  // taken, as last read back; 0 <= actual <= base
  bool running = true;          // false: paused, stopped, migrating
  // Host memory behind the guest (RSS of the VMM), where it can be read. It may be far below the size (never
  // touched), but stays above it only when ballooned pages do not come back to the host.
  Maybe<int64_t> resident_bytes = {};
  Boxed<PlugReading> plug = {};  // absent: nothing can be plugged into this VM

  friend bool operator==(const VmmReading&, const VmmReading&) = default;
};

// What the host's own kernel says.
struct HostReading {
  int64_t total_bytes = 0;
  int64_t available_bytes = 0;
  int32_t some_permyriad = 0;  // PSI memory over the last second; 0 where the host has no PSI
  int32_t full_permyriad = 0;

  friend bool operator==(const HostReading&, const HostReading&) = default;
};

// What earlier decisions left behind of a guest's hotplug. Part of its history.
struct PlugHistory {
  // What was last commanded, until it has arrived or is given up, and requested_bytes as it was before.
  Maybe<int64_t> target = {};
  int64_t from_bytes = 0;
  // MemTotal when it was commanded: that it rose says that the guest uses what was plugged.
  int64_t total_before_bytes = 0;
  // What was offline then, and may stay so.
  int64_t offline_before_bytes = 0;
  // The most (unplugging: the least) of what is plugged that was seen not offline since then, and when that
  // last changed, or nothing was on its way.
  int64_t seen_bytes = 0;
  MonotonicTime moved_at;
  // Rule 9: since when it has been pressed with nothing left in its balloon.
  Maybe<MonotonicTime> short_since = {};
  // Rule 10: the last step, until it has proved harmless or was undone.
  int64_t unplug_step_bytes = 0;
  // The VMM did not plug, or the guest did not let go of, what was commanded: no more of that before this
  // time, and the wait that the next such failure will add.
  MonotonicTime blocked_until;
  MonotonicTime unplug_blocked_until;
  Nanos next_block;
  // Mode observe: the target last shown.
  Maybe<int64_t> shown_target = {};

  friend bool operator==(const PlugHistory&, const PlugHistory&) = default;
};

// What earlier decisions left behind for one guest. Owned by Decide: the caller carries it from one outcome
// to the next snapshot unread and unchanged, except that a new guest (or a rebooted one) starts with a fresh
// one.
struct GuestHistory {
  GuestState state = GuestState::kSilent;
  MonotonicTime state_since;
  // When each level was last seen; a level is left only after it was not seen for the dwell.
  Maybe<MonotonicTime> comfortable_seen = {};
  Maybe<MonotonicTime> pressed_seen = {};
  Maybe<MonotonicTime> critical_seen = {};
  // The target last commanded; unset until the first command: then actual is the target.
  Maybe<BalloonBytes> target = {};
  // Rule 3 and 4: the balloon's actual at the last look, and when it last moved towards its target.
  Maybe<BalloonBytes> last_actual = {};
  MonotonicTime progress_since;
  BalloonBytes progress_actual;
  // No inflation before this time, and the wait the next block will add (doubles up to a limit).
  MonotonicTime inflate_blocked_until;
  Nanos next_block;
  // Rule 11: when memory was last taken from this guest.
  Maybe<MonotonicTime> last_inflate = {};
  // Rule 2: when the guest was first missed.
  Maybe<MonotonicTime> silent_since = {};
  // Mode observe: the target last shown, so that the same one is not shown at every tick.
  Maybe<BalloonBytes> shown_target = {};
  // Rule 8: the most the guest used in the present window of `working_set_window` and in the one before it.
  int64_t recent_peak_bytes = 0;
  int64_t earlier_peak_bytes = 0;
  Maybe<MonotonicTime> peak_window_since = {};
  // Rule 8: since when it has been heard and neither pressed nor critical.
  Maybe<MonotonicTime> calm_since = {};
  // Rule 8: the last step taken for idleness, until it has proved harmless or was undone; when it was taken;
  // the present wait between steps (zero: the first one); when a step last turned out to be wrong.
  BalloonBytes idle_step;
  Maybe<MonotonicTime> idle_step_at = {};
  Nanos idle_wait;
  Maybe<MonotonicTime> regretted_at = {};
  // How fast this guest's balloon was seen to give and to take; 0: not yet seen. When `last_actual` was read,
  // if the balloon was on its way then.
  int64_t give_bytes_per_second = 0;
  int64_t take_bytes_per_second = 0;
  Maybe<MonotonicTime> last_actual_at = {};
  // Rule 13: since when the VMM holds more than the guest can have.
  Maybe<MonotonicTime> held_back_since = {};
  // Rule 5: the report on which the guest was last given all it was short of.
  Maybe<MonotonicTime> grown_on = {};
  // When the guest was last seen to read back pages after a taking: of what it has, only free pages are not
  // missed.
  Maybe<MonotonicTime> missed_at = {};
  Boxed<PlugHistory> plug = {};  // absent: nothing can be plugged into it

  friend bool operator==(const GuestHistory&, const GuestHistory&) = default;
};

struct HostHistory {
  HostState state = HostState::kUnknown;
  MonotonicTime state_since;
  Maybe<MonotonicTime> pressure_seen = {};
  Maybe<MonotonicTime> critical_seen = {};

  friend bool operator==(const HostHistory&, const HostHistory&) = default;
};

// How much depends on a request for memory; larger means more urgent.
enum class Urgency : uint8_t { kLow, kNormal, kKill };

// A tool in the guest asks for memory and waits until the deadline.
struct MemoryRequest {
  int64_t id = 0;
  int64_t bytes = 0;
  Urgency urgency = Urgency::kNormal;
  MonotonicTime deadline;

  friend bool operator==(const MemoryRequest&, const MemoryRequest&) = default;
};

struct GuestFacts {
  GuestLimits limits;
  std::optional<Sampled<GuestReading>> report;  // absent: never heard since it (re)started
  std::optional<Sampled<VmmReading>> vmm;       // absent: VMM not connected; then nothing can be done
  // The guest started anew since the last decision (reset event, new boot id). Its balloon target survived
  // that.
  bool rebooted = false;
  Boxed<MemoryRequest> request = {};  // the most urgent that waits for an answer
  // When the VM last began to run again after a pause: silence counts from then.
  Maybe<MonotonicTime> resumed_at = {};
  GuestHistory history;

  friend bool operator==(const GuestFacts&, const GuestFacts&) = default;
};

// An operator's standing request: keep at least `bytes` taken from all guests together until `until` (rule
// 6). Several at once: the largest counts.
struct ReclaimHold {
  std::string name;  // unique, for people
  int64_t bytes = 0;
  Maybe<MonotonicTime> until = {};  // unset: until it is withdrawn

  friend bool operator==(const ReclaimHold&, const ReclaimHold&) = default;
};

struct Snapshot {
  std::optional<Sampled<HostReading>> host;
  HostHistory host_history;
  std::vector<ReclaimHold> reclaim_holds;
  std::vector<GuestFacts> guests;

  friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

}  // namespace ballast::policy
