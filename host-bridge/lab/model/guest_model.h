// One Linux guest's memory over time: what its programs want, what its kernel does about it, what its balloon
// takes. Pure and in integers; docs/simulator.md says what it was compared with.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/base/time.h"
#include "common/base/units.h"
#include "host-bridge/lab/model/device.h"
#include "host-bridge/lab/model/guest_memory.h"
#include "host-bridge/lab/model/workload.h"

namespace ballast::sim {

struct GuestSpec {
  int64_t boot_bytes = kGiB;
  int64_t zram_bytes = 0;
  DeviceSpec device = {};
  // Of what has to be reclaimed, the share that leaves programs' memory for zram while there is page cache:
  // what vm.swappiness decides. None by default, as in the recorded guests.
  int32_t swaps_early_permyriad = 0;
};

// Counted since the guest was made.
struct GuestCounters {
  int64_t oom_kills = 0;
  int64_t unmet_at_kill = 0;  // what programs lacked at the last kill
  int64_t stalled_ns = 0;     // PSI memory "some"
  int64_t refaulted_bytes = 0;
  int64_t taken_bytes = 0;  // by inflation
  int64_t given_bytes = 0;  // by deflation on command
  int64_t oom_deflated_bytes = 0;
  int64_t major_faults = 0;
};

class GuestModel {
 public:
  // The machine is off.
  explicit GuestModel(const GuestSpec& spec);

  // Starts, or starts anew: memory and balloon are empty, the device keeps its target. Programs and driver
  // run after a boot time.
  void Boot();
  // The VMM is gone, its device's target with it.
  void PowerOff();
  void StartSegment(const Segment& segment);
  // The device's target: 0..boot.
  void SetTarget(int64_t balloon_bytes);
  // What the VMM is asked to have plugged: 0..what the device has.
  void SetPlugged(int64_t bytes);
  // The driver moves no page while stuck.
  void SetStuck(bool stuck);
  // While set, of each deflation asked for only half arrives.
  void SetPartial(bool partial) { partial_ = partial; }
  // Time passes, with the same wishes: at most a minute at once.
  void Advance(Nanos span);

  // How long the next step may be: 10 ms .. 10 s. Longer, and something would be missed that a controller
  // should see. `little` is what counts as little available (bytes).
  [[nodiscard]] Nanos GoodStep(int64_t little) const;
  // Nothing will change until something is asked of it.
  [[nodiscard]] bool settled() const { return settled_; }

  [[nodiscard]] const GuestMemory& memory() const { return memory_; }
  [[nodiscard]] const GuestCounters& counters() const { return counters_; }
  [[nodiscard]] bool booted() const { return on_ && boot_left_.count == 0; }
  [[nodiscard]] bool on() const { return on_; }
  [[nodiscard]] int64_t target() const { return target_; }
  [[nodiscard]] bool balloon_moves() const;
  // Plugged by the VMM's word, and of that what the guest has not brought online; what it was asked for.
  [[nodiscard]] int64_t plugged() const { return plugged_; }
  [[nodiscard]] int64_t offline() const { return plugged_ - memory_.plugged(); }
  [[nodiscard]] int64_t plug_requested() const { return plug_requested_; }
  [[nodiscard]] bool plug_moves() const;
  [[nodiscard]] bool can_be_plugged() const { return spec_.device.plug_bytes > 0; }
  // As /proc/meminfo has them.
  [[nodiscard]] int64_t total() const;
  [[nodiscard]] int64_t available() const;
  // What the guest really has: MemTotal, less a balloon that is counted in there.
  [[nodiscard]] int64_t usable() const { return memory_.boot() - memory_.reserve() - memory_.balloon(); }
  // What the zram swap device still takes, uncompressed; 0 without one.
  [[nodiscard]] int64_t zram_left() const {
    return std::max<int64_t>(0, spec_.zram_bytes - memory_.swapped());
  }
  [[nodiscard]] bool has_zram() const { return spec_.zram_bytes > 0; }
  [[nodiscard]] int64_t refault_bytes_per_second() const { return refault_rate_; }
  [[nodiscard]] int32_t stall_permyriad() const { return static_cast<int32_t>(stall_permyriad_); }

 private:
  // What happens in one sub-step, gathered for the pressure it makes.
  struct Strain {
    int64_t refaulted = 0;  // bytes read back
    int64_t swapped_in = 0;
    int64_t waited_ns = 0;  // direct reclaim, compression, OOM handling
    bool moved = false;     // some part of memory changed
    bool relieved = false;  // the balloon gave pages on command
  };

  [[nodiscard]] Nanos SubStep(Nanos left) const;
  [[nodiscard]] int64_t AnonMissing() const;
  [[nodiscard]] int64_t EasyRoom() const;
  [[nodiscard]] int64_t Swappable() const;
  void Step(Nanos span);
  [[nodiscard]] int64_t PlugWanted() const;
  [[nodiscard]] int64_t PlugLeast() const;
  void FollowPlug(Nanos span, Strain& strain);
  void BringOnline(Nanos span, Strain& strain);
  void TakeOffline(Nanos span, Strain& strain);
  void Deflate(Nanos span, Strain& strain);
  void ShrinkAnon(Strain& strain);
  void GrowAnon(Nanos span, Strain& strain);
  int64_t GrowBesideCache(int64_t bytes, Nanos span, Strain& strain);
  int64_t GrowBySwapping(int64_t bytes, Nanos span, Strain& strain);
  int64_t GrowByOomDeflation(int64_t bytes, Nanos span, Strain& strain);
  void CountDown(int64_t unmet, Nanos span, Strain& strain);
  void Kill(int64_t unmet, Strain& strain);
  void TouchSwapped(Nanos span, Strain& strain);
  void ReadHot(Nanos span, Strain& strain);
  void ReadCold(Nanos span, Strain& strain);
  void Inflate(Nanos span, Strain& strain);
  int64_t InflateFromCache(int64_t bytes, Strain& strain);
  void InflateBySwapping(int64_t bytes, Nanos span, Strain& strain);
  void ReportFree(Nanos span, Strain& strain);
  void Strained(Nanos span, const Strain& strain);
  void Feel(Nanos span, const Strain& strain);
  int64_t EvictHotToAnon(int64_t bytes);

  GuestSpec spec_;
  GuestMemory memory_;
  GuestCounters counters_;
  Segment segment_;
  int64_t target_ = 0;  // the device's
  int64_t plug_requested_ = 0;
  int64_t plugged_ = 0;
  int64_t plug_peak_ = 0;    // the most that was online
  Nanos plug_wait_;          // until it begins to come online
  int64_t halfway_ = 0;      // where a partial relief stops
  int64_t evicted_hot_ = 0;  // hot pages that were in the cache and had to leave
  int64_t oom_owed_ = 0;     // deflate-on-OOM: bytes the time spent so far is worth
  int64_t refault_rate_ = 0;
  int64_t stall_permyriad_ = 0;
  int64_t steady_stall_permyriad_ = 0;  // of the last sub-step
  Nanos boot_left_;
  Nanos exhausted_for_;
  Nanos since_report_pass_;
  bool on_ = false;
  bool settled_ = false;
  bool killed_ = false;            // the programs hold nothing until their next segment
  bool shrank_by_itself_ = false;  // the driver waits for a new target
  bool stuck_ = false;
  bool partial_ = false;
};

// Asked at each step of the world.
inline int64_t GuestModel::total() const {
  const int64_t hidden = spec_.device.deflate_on_oom ? 0 : memory_.balloon();
  return memory_.boot() - memory_.reserve() - hidden;
}

// si_mem_available(). The zones' reserves for each other, which it takes off as well, and the reclaimable
// slab that it adds are of one size (some MiB) and left out.
inline int64_t GuestModel::available() const {
  const int64_t cache = memory_.cache();
  const int64_t kept = std::min(cache / 2, memory_.low_watermark());
  return std::max<int64_t>(0, memory_.free() - memory_.high_watermark() + cache - kept);
}

inline bool GuestModel::balloon_moves() const {
  if (!booted() || stuck_) return false;
  const int64_t goal = std::max(halfway_, target_);
  if (memory_.balloon() > goal) return true;
  return memory_.balloon() < target_ && !shrank_by_itself_ && !settled_;
}

inline int64_t GuestModel::AnonMissing() const {
  if (killed_) return 0;
  return std::max<int64_t>(0, segment_.anon_bytes - memory_.anon() - memory_.swapped());
}

}  // namespace ballast::sim
