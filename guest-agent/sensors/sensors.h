// The kernel files an agent watches, opened once and read again and again.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "common/base/time.h"
#include "common/kernel/meminfo_parser.h"
#include "common/kernel/psi_parser.h"
#include "common/kernel/vmstat_parser.h"
#include "common/os/file_reader.h"
#include "common/os/pinned_file.h"
#include "guest-agent/sensors/sampler.h"

namespace ballast::agent {

// One look. Absent: this kernel does not offer it, or this read failed.
struct Readings {
  MonotonicTime at;
  std::optional<kernel::Meminfo> meminfo;
  std::optional<kernel::Vmstat> vmstat;
  std::optional<kernel::Psi> psi_memory;
  std::optional<kernel::Psi> psi_io;

  friend bool operator==(const Readings&, const Readings&) = default;
};

// What the sampler judges of it.
[[nodiscard]] Sample ToSample(const Readings& readings);

// One thing the agent would like to see, and whether it can.
struct Capability {
  std::string name;
  std::string reason;  // empty: available

  friend bool operator==(const Capability&, const Capability&) = default;
};

// Used by one thread.
class Sensors {
 public:
  // Nothing that is missing is an error; Capabilities() says why it is.
  explicit Sensors(const FileReader& files);

  // Reads memory information and memory pressure; the costlier vmstat and I/O pressure when what is known of
  // them is 20 ms old, or `fresh` asks for it. Allocates nothing.
  [[nodiscard]] const Readings& Read(MonotonicTime now, bool fresh);

  // "meminfo", "vmstat", "psi", "swap", as found when they were opened.
  [[nodiscard]] const std::array<Capability, 4>& Capabilities() const { return capabilities_; }

 private:
  void ReadSlowOnes(MonotonicTime now);

  std::optional<PinnedFile> meminfo_;
  std::optional<PinnedFile> vmstat_;
  std::optional<PinnedFile> psi_memory_;
  std::optional<PinnedFile> psi_io_;
  std::array<Capability, 4> capabilities_;
  Readings readings_;
  std::optional<MonotonicTime> slow_read_at_;
};

}  // namespace ballast::agent
