// /proc/zoneinfo: how much is free in each zone, and where its watermarks are.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/base/short_list.h"

namespace ballast::kernel {

// In the kernel's order.
enum class ZoneKind : uint8_t { kDma, kDma32, kNormal, kHighMem, kMovable, kDevice };
inline constexpr size_t kZoneKinds = 6;

// As the kernel spells it: "DMA32".
[[nodiscard]] std::string_view NameOf(ZoneKind kind);

// Bytes.
struct Zone {
  ZoneKind kind = ZoneKind::kNormal;
  int64_t free_bytes = 0;  // <= managed
  int64_t min_bytes = 0;   // the watermarks: min <= low <= high
  int64_t low_bytes = 0;
  int64_t high_bytes = 0;
  int64_t managed_bytes = 0;  // what the page allocator has
  int64_t present_bytes = 0;  // with what is reserved: the memory map, and a balloon that shrinks MemTotal

  friend bool operator==(const Zone&, const Zone&) = default;
};

// Of several NUMA nodes the zones of one kind are summed up. Zones without memory are left out.
using Zones = ShortList<Zone, kZoneKinds>;

// `page_size_bytes` is 4096 to 65536. Unknown lines and zones are passed over. Errors: InvalidArgument naming
// the zone and the field that is missing, not a number or out of range. Allocates nothing unless it fails.
[[nodiscard]] absl::StatusOr<Zones> ParseZoneinfo(std::string_view text, int64_t page_size_bytes);

}  // namespace ballast::kernel
