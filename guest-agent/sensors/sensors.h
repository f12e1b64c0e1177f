// The kernel files an agent watches, opened once and read again and again.
#pragma once

#include <array>
#include <optional>

#include "common/base/time.h"
#include "common/kernel/meminfo_parser.h"
#include "common/kernel/psi_parser.h"
#include "common/kernel/vmstat_parser.h"
#include "common/os/file_reader.h"
#include "common/os/pinned_file.h"
#include "guest-agent/sensors/sampler.h"
#include "guest-agent/sensors/signals.h"

namespace ballast::agent {

// One look. Absent: this kernel does not offer it, or this read failed.
struct Readings {
  MonotonicTime at;
  std::optional<kernel::Meminfo> meminfo;
  std::optional<kernel::Vmstat> vmstat;
  std::optional<kernel::Psi> psi_memory;
  std::optional<kernel::Psi> psi_io;
  Signals signals;
  bool total_includes_balloon = false;  // see Sample

  friend bool operator==(const Readings&, const Readings&) = default;
};

// What the sampler judges of it.
[[nodiscard]] Sample ToSample(const Readings& readings);

// Free memory, page cache and reclaimable slab; nothing when this kernel does not print one of them.
[[nodiscard]] std::optional<int64_t> LeftBytes(const Readings& readings);

// Used by one thread.
class Sensors {
 public:
  // When the costlier files are read.
  enum class Pace {
    kByNeed,  // the rarer, the less hangs on them
    kSteady,  // every 20 ms
  };
  // Nothing that is missing is an error; Capabilities() says why it is.
  explicit Sensors(const FileReader& files, Pace pace = Pace::kByNeed);

  // Reads memory information and memory pressure; the costlier vmstat and I/O pressure when what is known of
  // them is 20 ms old (100 ms while memory is only armed, 1 s while it is quiet, as long as what is available
  // hardly changes), the signals then where their own pace allows it, or all when `fresh` asks for it.
  // Allocates nothing, but now and then, while plenty is available, when it searches for devices and cgroups
  // that appeared.
  [[nodiscard]] const Readings& Read(MonotonicTime now, bool fresh);
  // Reads what the last Read left out, so that all that is told bears one time.
  void Complete();

  // "meminfo", "vmstat", "psi", "swap", "zones", "zram", "zswap", "cgroups", "mglru", as found when they were
  // opened.
  [[nodiscard]] const std::array<Capability, 9>& Capabilities() const { return capabilities_; }

 private:
  void ReadSlowOnes(bool fresh);
  [[nodiscard]] LevelBytes Limits() const;
  [[nodiscard]] bool IsCalm() const;
  [[nodiscard]] Nanos SlowReadGap() const;

  const Pace pace_;
  std::optional<PinnedFile> meminfo_;
  std::optional<PinnedFile> vmstat_;
  std::optional<PinnedFile> psi_memory_;
  std::optional<PinnedFile> psi_io_;
  std::array<Capability, 9> capabilities_;
  SignalReader signals_;
  Readings readings_;
  std::optional<MonotonicTime> slow_read_at_;
  int64_t slow_read_available_ = 0;  // what was available then
};

}  // namespace ballast::agent
