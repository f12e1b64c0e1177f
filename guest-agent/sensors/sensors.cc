#include "guest-agent/sensors/sensors.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "guest-agent/sensors/pinned_reading.h"

namespace ballast::agent {
namespace {

// The largest seen are 1.6 KB, 4.5 KB and 0.2 KB (6.1 to 6.18); room for kernels to come.
constexpr size_t kMeminfoCapacity = 8 * 1024;
constexpr size_t kVmstatCapacity = 32 * 1024;
constexpr size_t kPsiCapacity = 1024;

// A vmstat read costs four times the others together and allocates in the kernel.
constexpr Nanos kPressedReadGap = Milliseconds(20);
// While what is available hardly changes, nobody waits for the costlier ones; but zram may fill meanwhile.
constexpr Nanos kArmedReadGap = Milliseconds(100);
constexpr Nanos kQuietReadGap = Seconds(1);
constexpr int64_t kSmallChange = 4 * kMiB;  // what the sampler takes for noise within a second

}  // namespace

Sample ToSample(const Readings& readings) {
  Sample sample;
  sample.at = readings.at;
  if (readings.meminfo) {
    sample.total_bytes = readings.meminfo->total_bytes;
    sample.available_bytes = readings.meminfo->available_bytes;
    sample.total_includes_balloon = readings.total_includes_balloon;
  }
  if (readings.psi_memory) sample.stall_total_us = readings.psi_memory->some.total_us;
  if (readings.vmstat) {
    sample.oom_kills = readings.vmstat->oom_kills;
    sample.balloon_inflate_pages = readings.vmstat->balloon_inflate_pages;
    sample.balloon_deflate_pages = readings.vmstat->balloon_deflate_pages;
  }
  return sample;
}

std::optional<int64_t> LeftBytes(const Readings& readings) {
  if (!readings.meminfo) return std::nullopt;
  const kernel::Meminfo& meminfo = *readings.meminfo;
  if (!meminfo.active_file_bytes || !meminfo.inactive_file_bytes || !meminfo.slab_reclaimable_bytes) {
    return std::nullopt;
  }
  __extension__ using Wide = __int128;
  const Wide sum = Wide{meminfo.free_bytes} + *meminfo.active_file_bytes + *meminfo.inactive_file_bytes +
                   *meminfo.slab_reclaimable_bytes;
  return static_cast<int64_t>(std::min<Wide>(sum, kNoUpperBound));
}

Sensors::Sensors(const FileReader& files, Pace pace)
    : pace_(pace),
      capabilities_{{{"meminfo", ""}, {"vmstat", ""}, {"psi", ""}, {"swap", ""}, {}, {}, {}, {}, {}}},
      signals_(files, ReadMachineFacts(files)) {
  meminfo_ = OpenOrSay(files, "/proc/meminfo", kMeminfoCapacity, capabilities_[0].reason);
  vmstat_ = OpenOrSay(files, "/proc/vmstat", kVmstatCapacity, capabilities_[1].reason);
  psi_memory_ = OpenOrSay(files, "/proc/pressure/memory", kPsiCapacity, capabilities_[2].reason);
  std::string ignored;  // I/O pressure comes and goes with memory pressure
  psi_io_ = OpenOrSay(files, "/proc/pressure/io", kPsiCapacity, ignored);
  const auto meminfo = ReadWith(meminfo_, kernel::ParseMeminfo);
  if (!meminfo || meminfo->swap_total_bytes.value_or(0) == 0) capabilities_[3].reason = "no swap is in use";
  std::copy(signals_.Capabilities().begin(), signals_.Capabilities().end(), capabilities_.begin() + 4);
}

const Readings& Sensors::Read(MonotonicTime now, bool fresh) {
  readings_.at = now;
  readings_.meminfo = ReadWith(meminfo_, kernel::ParseMeminfo);
  readings_.psi_memory = ReadWith(psi_memory_, kernel::ParsePsi);
  if (fresh || !slow_read_at_ || now - *slow_read_at_ >= SlowReadGap()) ReadSlowOnes(fresh);
  return readings_;
}

void Sensors::Complete() {
  if (slow_read_at_ != readings_.at) ReadSlowOnes(false);
}

LevelBytes Sensors::Limits() const {
  const int64_t usable = readings_.meminfo->total_bytes - signals_.CountedBalloon(readings_.vmstat);
  return ToBytes(Thresholds{}, usable);
}

// With so much available no watcher of ordinary thresholds waits for the next sample.
bool Sensors::IsCalm() const {
  return readings_.meminfo && readings_.meminfo->available_bytes >= Limits().pressed;
}

// A balloon that moves is a change, too: its counters are among the costlier readings, and without them what
// it takes looks like consumption.
Nanos Sensors::SlowReadGap() const {
  if (!readings_.meminfo || pace_ == Pace::kSteady) return kPressedReadGap;
  const int64_t available = readings_.meminfo->available_bytes;
  const LevelBytes limits = Limits();
  if (available < limits.pressed || std::abs(available - slow_read_available_) >= kSmallChange) {
    return kPressedReadGap;
  }
  return available < limits.armed ? kArmedReadGap : kQuietReadGap;
}

void Sensors::ReadSlowOnes(bool fresh) {
  slow_read_at_ = readings_.at;
  slow_read_available_ = readings_.meminfo ? readings_.meminfo->available_bytes : 0;
  readings_.vmstat = ReadWith(vmstat_, kernel::ParseVmstat);
  readings_.psi_io = ReadWith(psi_io_, kernel::ParsePsi);
  signals_.Read({.at = readings_.at,
                 .meminfo = readings_.meminfo,
                 .vmstat = readings_.vmstat,
                 .fresh = fresh,
                 .calm = IsCalm()},
                readings_.signals);
  readings_.total_includes_balloon = signals_.TotalIncludesBalloon();
}

}  // namespace ballast::agent
