// /sys/devices/system/memory: the blocks in which memory is plugged, brought online and taken away.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/base/short_list.h"
#include "common/kernel/zone_parser.h"

namespace ballast::kernel {

enum class BlockState : uint8_t { kOffline, kGoingOffline, kOnline };

// memoryN/valid_zones.
struct ValidZones {
  // Online: the zone the block is in. Offline: those it may go to, the kernel's own choice first.
  ShortList<ZoneKind, kZoneKinds> zones;
  bool spans = false;  // "none": the block lies in several zones, or has holes, and never leaves

  [[nodiscard]] bool Has(ZoneKind kind) const;
  friend bool operator==(const ValidZones&, const ValidZones&) = default;
};

// What the kernel itself does with new blocks: auto_online_blocks, memhp_default_state=.
enum class AutoOnline : uint8_t { kOffline, kOnline, kKernel, kMovable };

inline constexpr int64_t kMaxBlockNumber = (int64_t{1} << 40) - 1;
inline constexpr int64_t kMinBlockSize = int64_t{1} << 20;
inline constexpr int64_t kMaxBlockSize = int64_t{1} << 40;

// A newline at the end is allowed everywhere. Errors: InvalidArgument that names the file and what would be
// right. Nothing allocates unless it fails.
[[nodiscard]] absl::StatusOr<BlockState> ParseBlockState(std::string_view text);
[[nodiscard]] absl::StatusOr<ValidZones> ParseValidZones(std::string_view text);
// block_size_bytes, which is hexadecimal without a prefix: "8000000" is 128 MiB. A power of two from 1 MiB to
// 1 TiB.
[[nodiscard]] absl::StatusOr<int64_t> ParseBlockSize(std::string_view text);
[[nodiscard]] absl::StatusOr<AutoOnline> ParseAutoOnline(std::string_view text);
// A module's switch: "Y" and "N"; "force", as memmap_on_memory knows it, is on as well.
[[nodiscard]] absl::StatusOr<bool> ParseSwitch(std::string_view name, std::string_view text);

// The N of "memoryN", decimal; nothing for any other name.
[[nodiscard]] std::optional<int64_t> BlockNumberOf(std::string_view name);

// The kernel's words: "going-offline", "online_movable".
[[nodiscard]] std::string_view NameOf(BlockState state);
[[nodiscard]] std::string_view NameOf(AutoOnline policy);

}  // namespace ballast::kernel
