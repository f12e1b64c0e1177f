// What the agent tells beside the samples it judges: zones, compressed and other swap, the cgroups that use
// most, and what follows from them. Each is read at a pace of its own.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "common/base/time.h"
#include "common/kernel/lru_gen_parser.h"
#include "common/kernel/meminfo_parser.h"
#include "common/kernel/swaps_parser.h"
#include "common/kernel/vmstat_parser.h"
#include "common/kernel/zone_parser.h"
#include "common/os/file_reader.h"
#include "common/os/pinned_file.h"
#include "guest-agent/sensors/cgroup_reader.h"
#include "guest-agent/sensors/machine_facts.h"
#include "guest-agent/sensors/working_set_plan.h"
#include "guest-agent/sensors/zram_reader.h"

namespace ballast::agent {

// Absent: this kernel does not offer it, or the last read failed. Of fixed size: a report copies it.
struct Signals {
  std::optional<kernel::Zones> zones;
  ZramReadings zram;
  std::optional<kernel::Swaps> swap;
  CgroupReadings cgroups;
  std::optional<WorkingSet> working_set;  // also absent in the first second
  // Tasks that had to reclaim memory themselves since the agent started, by the kernel's counter.
  std::optional<int64_t> reclaim_stalls;

  friend bool operator==(const Signals&, const Signals&) = default;
};

// One thing the agent would like to see, and whether it can.
struct Capability {
  std::string name;
  std::string reason;  // empty: available

  friend bool operator==(const Capability&, const Capability&) = default;
};

// Used by one thread.
class SignalReader {
 public:
  // Nothing that is missing is an error; Capabilities() says why it is.
  SignalReader(const FileReader& files, const MachineFacts& machine);

  // What is known of the moment beside the signals.
  struct Moment {
    MonotonicTime at;
    std::optional<kernel::Meminfo> meminfo;
    std::optional<kernel::Vmstat> vmstat;
    bool fresh = false;  // read everything, however new it is
    bool calm = false;   // there is time to look for what appeared and what vanished
  };
  // Allocates nothing while `calm` is false. A calm look does one of the searches that are due, of some
  // milliseconds at most.
  void Read(const Moment& moment, Signals& signals);

  // "zones", "zram", "zswap", "cgroups", "mglru", as found at the start.
  [[nodiscard]] const std::array<Capability, 5>& Capabilities() const { return capabilities_; }

  // The balloon deflates on OOM, so that MemTotal keeps its size while it is inflated.
  [[nodiscard]] bool TotalIncludesBalloon() const { return balloon_ && balloon_->deflate_on_oom; }
  // The part of the balloon that MemTotal still counts.
  [[nodiscard]] int64_t CountedBalloon(const std::optional<kernel::Vmstat>& vmstat) const;

 private:
  // Says when something is due again.
  class Pace {
   public:
    explicit Pace(Nanos gap) : gap_(gap) {}
    void SetGap(Nanos gap) { gap_ = gap; }
    // True, and counted as done, when it is due or `fresh` asks for it.
    [[nodiscard]] bool Take(MonotonicTime now, bool fresh);

   private:
    Nanos gap_;
    std::optional<MonotonicTime> last_;
  };

  void OpenZones(const FileReader& files);
  void OpenGenerations(const FileReader& files);
  void Search(const Moment& moment);
  [[nodiscard]] bool SearchBalloon(const Moment& moment);
  [[nodiscard]] bool SearchOne(size_t turn, MonotonicTime now);
  void ReadZones(const Moment& moment, Signals& signals);

  const FileReader files_;
  int64_t page_size_bytes_;
  std::optional<kernel::BalloonFeatures> balloon_;
  int64_t inflated_pages_ = 0;  // ever, when a balloon was looked for last
  std::array<Capability, 5> capabilities_;

  std::optional<PinnedFile> zoneinfo_;
  std::optional<PinnedFile> swaps_;
  std::optional<PinnedFile> lru_gen_;
  ZramReader zram_;
  CgroupReader cgroups_;
  bool cgroups_counted_ = false;

  Pace zone_pace_;
  Pace zram_pace_;
  Pace cgroup_pace_;
  Pace balloon_search_;
  Pace zram_search_;
  Pace cgroup_walk_;
  Pace generations_pace_;
  static constexpr size_t kSearches = 3;
  size_t next_search_ = 0;
  bool walking_ = false;  // a walk over the cgroups is under way

  std::optional<kernel::LruGenerations> generations_;
  WorkingSetPlan working_set_;
  std::optional<int64_t> first_stalls_;
};

}  // namespace ballast::agent
