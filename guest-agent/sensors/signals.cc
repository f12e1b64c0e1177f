#include "guest-agent/sensors/signals.h"

#include <algorithm>

#include "common/base/text.h"
#include "common/base/units.h"
#include "guest-agent/sensors/pinned_reading.h"

namespace ballast::agent {
namespace {

constexpr const char* kZoneinfo = "/proc/zoneinfo";
constexpr const char* kLruGen = "/sys/kernel/debug/lru_gen";
constexpr const char* kLruGenEnabled = "/sys/kernel/mm/lru_gen/enabled";

// zoneinfo has some hundred bytes for each CPU and zone: 5 KB with 2 CPUs. Twice what is there at the start
// leaves room for CPUs and nodes that are plugged.
constexpr size_t kZoneinfoLeast = 16 * 1024;
constexpr size_t kZoneinfoMost = 1 << 20;
constexpr size_t kSwapsCapacity = 8 * 1024;  // the kernel takes 32 swap areas at most
// 0.2 KB for each cgroup and node: some 300 of them. Where there are more, refaults have to do.
constexpr size_t kLruGenCapacity = 64 * 1024;

// As vmstat, which costs the same 20 us (0.1 % of a CPU); a larger zoneinfo costs in proportion and is read
// the less often.
constexpr Nanos kZoneGap = Milliseconds(20);
constexpr size_t kZoneBytesPerGap = 32 * 1024;
// Some 5 us a device. Swap fills in tenths of seconds at the soonest.
constexpr Nanos kZramGap = Milliseconds(100);
// Some 30 us in all. These are for the reader of a report, and a report is sent every second at most while it
// is calm.
constexpr Nanos kCgroupGap = Seconds(1);
// Devices and cgroups come and go by an operator's hand or with a service: some seconds late is soon.
constexpr Nanos kBalloonSearchGap = Seconds(1);
constexpr Nanos kZramSearchGap = Seconds(5);
constexpr Nanos kCgroupWalkGap = Seconds(5);
// What is judged cold is minutes old, and asking costs the kernel a count of every cgroup.
constexpr Nanos kGenerationsGap = Seconds(10);

// Unused for two minutes is what those who take cold memory in the large call cold; a walk of ten minutes ago
// was before most of what a guest does now.
constexpr kernel::ColdRule kColdRule{.unused = Seconds(120), .last_walk = Seconds(600)};

}  // namespace

bool SignalReader::Pace::Take(MonotonicTime now, bool fresh) {
  if (!fresh && last_ && now - *last_ < gap_) return false;
  last_ = now;
  return true;
}

SignalReader::SignalReader(const FileReader& files, const MachineFacts& machine)
    : files_(files),
      page_size_bytes_(machine.page_size_bytes),
      balloon_(machine.balloon),
      capabilities_{{{"zones", ""}, {"zram", ""}, {"zswap", ""}, {"cgroups", ""}, {"mglru", ""}}},
      zram_(files, machine.page_size_bytes),
      cgroups_(files),
      zone_pace_(kZoneGap),
      zram_pace_(kZramGap),
      cgroup_pace_(kCgroupGap),
      balloon_search_(kBalloonSearchGap),
      zram_search_(kZramSearchGap),
      cgroup_walk_(kCgroupWalkGap),
      generations_pace_(kGenerationsGap) {
  OpenZones(files);
  std::string ignored;  // without swaps every kernel can do; Signals::swap is absent then
  swaps_ = OpenOrSay(files, "/proc/swaps", kSwapsCapacity, ignored);
  zram_.Rescan();
  if (zram_.DeviceCount() == 0) {
    capabilities_[1].reason = "there is no zram device; one that appears later is noticed";
  }
  const auto vmstat_text = files.Read("/proc/vmstat");
  if (const auto vmstat = kernel::ParseVmstat(vmstat_text.ok() ? *vmstat_text : ""); vmstat.ok()) {
    first_stalls_ = vmstat->alloc_stalls;
  }
  const auto meminfo_text = files.Read("/proc/meminfo");
  const auto meminfo = kernel::ParseMeminfo(meminfo_text.ok() ? *meminfo_text : "");
  if (!meminfo.ok() || !meminfo->zswap_pool_bytes) {
    capabilities_[2].reason = "/proc/meminfo has no line Zswap: the kernel is built without it";
  }
  const absl::Status counted = cgroups_.Check();
  cgroups_counted_ = counted.ok();
  capabilities_[3].reason = MessageOf(counted);
  OpenGenerations(files);
  // All of them, so that the first report knows the largest.
  while (cgroups_counted_ && !cgroups_.Step()) {
  }
}

void SignalReader::OpenZones(const FileReader& files) {
  const auto text = files.Read(kZoneinfo, kZoneinfoMost);
  const size_t size = text.ok() ? text->size() : 0;
  zoneinfo_ = OpenOrSay(files, kZoneinfo, std::max(kZoneinfoLeast, 2 * size), capabilities_[0].reason);
  zone_pace_.SetGap(kZoneGap * static_cast<int64_t>(1 + size / kZoneBytesPerGap));
}

void SignalReader::OpenGenerations(const FileReader& files) {
  std::string& reason = capabilities_[4].reason;
  lru_gen_ = OpenOrSay(files, kLruGen, kLruGenCapacity, reason);
  if (!lru_gen_) return;
  const auto enabled = files.Read(kLruGenEnabled, 64);
  if (enabled.ok() && enabled->starts_with("0x0000")) {
    reason = StrCat(files.PathOf(kLruGenEnabled), " is 0x0000: switched off");
  }
}

int64_t SignalReader::CountedBalloon(const std::optional<kernel::Vmstat>& vmstat) const {
  if (!TotalIncludesBalloon() || !vmstat) return 0;
  const int64_t pages = vmstat->balloon_inflate_pages.value_or(0) - vmstat->balloon_deflate_pages.value_or(0);
  return std::clamp<int64_t>(pages, 0, (int64_t{1} << 62) / page_size_bytes_) * page_size_bytes_;
}

void SignalReader::Read(const Moment& moment, Signals& signals) {
  if (moment.calm) Search(moment);
  if (zone_pace_.Take(moment.at, moment.fresh)) ReadZones(moment, signals);
  if (zram_pace_.Take(moment.at, moment.fresh)) {
    zram_.Read(moment.at, signals.zram);
    signals.swap = ReadWith(swaps_, kernel::ParseSwaps);
  }
  if (cgroups_counted_ && cgroup_pace_.Take(moment.at, moment.fresh)) cgroups_.Read(signals.cgroups);
}

// One search a look, in turn: a sample shall not wait for all of them, and none for ever for the others.
void SignalReader::Search(const Moment& moment) {
  if (SearchBalloon(moment)) return;
  for (size_t tried = 0; tried < kSearches; ++tried) {
    const size_t turn = next_search_;
    next_search_ = (next_search_ + 1) % kSearches;
    if (SearchOne(turn, moment.at)) return;
  }
}

// One whose driver came after the agent, or that was plugged; its first pages tell. False when it is not due.
bool SignalReader::SearchBalloon(const Moment& moment) {
  if (balloon_ || !moment.vmstat) return false;
  const int64_t inflated = moment.vmstat->balloon_inflate_pages.value_or(0);
  if (inflated == inflated_pages_ || !balloon_search_.Take(moment.at, false)) return false;
  inflated_pages_ = inflated;
  balloon_ = FindBalloon(files_);
  return true;
}

// False when it is not due.
bool SignalReader::SearchOne(size_t turn, MonotonicTime now) {
  switch (turn) {
    case 0:
      if (!zram_search_.Take(now, false)) return false;
      zram_.Rescan();
      return true;
    case 1:
      if (!lru_gen_ || !generations_pace_.Take(now, false)) return false;
      generations_ =
          ReadWith(lru_gen_, [](std::string_view text) { return kernel::ParseLruGen(text, kColdRule); });
      return true;
    default:
      if (!cgroups_counted_ || (!walking_ && !cgroup_walk_.Take(now, false))) return false;
      walking_ = !cgroups_.Step();
      return true;
  }
}

void SignalReader::ReadZones(const Moment& moment, Signals& signals) {
  signals.zones = ReadWith(
      zoneinfo_, [&](std::string_view text) { return kernel::ParseZoneinfo(text, page_size_bytes_); });
  signals.reclaim_stalls.reset();
  if (first_stalls_ && moment.vmstat && moment.vmstat->alloc_stalls) {
    signals.reclaim_stalls = std::max<int64_t>(*moment.vmstat->alloc_stalls - *first_stalls_, 0);
  }
  signals.working_set.reset();
  if (!signals.zones || !moment.meminfo || !moment.vmstat) return;
  signals.working_set = working_set_.Next({.at = moment.at,
                                           .meminfo = *moment.meminfo,
                                           .vmstat = *moment.vmstat,
                                           .zones = *signals.zones,
                                           .generations = generations_,
                                           .page_size_bytes = page_size_bytes_,
                                           .counted_balloon_bytes = CountedBalloon(moment.vmstat)});
}

}  // namespace ballast::agent
