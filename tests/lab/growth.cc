#include "tests/lab/growth.h"

#include <algorithm>

#include "common/base/text.h"
#include "common/base/units.h"

namespace ballast::lab {

GuestOptions SmallGuest() {
  return {.name = "small", .memory_mib = kSmallMib, .hotplug_mib = 5120, .free_page_reporting = false};
}

absl::StatusOr<Growth> GrowInSteps(Guest& guest, HotplugGuest& blocks, AgentWatch& watch) {
  constexpr int64_t kBlock = HotplugGuest::kBlock;
  Growth growth;
  for (; growth.blocks < kMoreBlocks; ++growth.steps) {
    const int64_t room = watch.LastReport().memory_blocks().room_bytes() / kBlock;
    if (room == 0) return absl::ResourceExhaustedError(watch.LastReport().memory_blocks().ShortDebugString());
    const int64_t next = std::min(room, kMoreBlocks - growth.blocks);
    if (auto status = blocks.PlugDimm(StrCat("d", growth.steps), next * kBlock / kMiB); !status.ok())
      return status;
    growth.blocks += next;
    const auto grown = watch.Until(
        [&](const guest::v1::Report& one) {
          return one.memory_blocks().online_bytes() == (kSmallBlocks + growth.blocks) * kBlock;
        },
        absl::Seconds(20));
    if (!grown) return absl::DeadlineExceededError(watch.LastReport().memory_blocks().ShortDebugString());
  }
  const auto kills = guest.OomKills();
  if (!kills.ok()) return kills.status();
  growth.oom_kills = *kills;
  return growth;
}

}  // namespace ballast::lab
