// Which memory blocks come online, where and in which order, and which go offline. Pure: blocks and zones in,
// steps out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/kernel/memory_block_parser.h"
#include "common/kernel/zone_parser.h"

namespace ballast::agent {

struct Block {
  int64_t number = 0;  // it begins at number * block size
  kernel::BlockState state = kernel::BlockState::kOffline;
  // Online: where it is; absent: in several zones, which it never leaves.
  std::optional<kernel::ZoneKind> zone{};
  bool plugged = false;  // appeared while the agent ran: no memory of the boot
  bool failed = false;   // offline because bringing it online failed

  friend bool operator==(const Block&, const Block&) = default;
};

// Neighbouring blocks of one state and zone.
struct BlockRange {
  int64_t first = 0;
  int64_t count = 0;
  std::optional<kernel::BlockState> state;  // absent: they are gone
  std::optional<kernel::ZoneKind> zone;     // as a block's

  friend bool operator==(const BlockRange&, const BlockRange&) = default;
};

// Of guest-physical addresses.
struct GuestRange {
  int64_t address = 0;
  int64_t bytes = 0;
};

enum class ZoneChoice : uint8_t { kAuto, kKernel, kMovable };

// What the zones of a guest hold.
struct ZoneShape {
  int64_t kernel_bytes = 0;   // of all zones that can serve the kernel
  int64_t movable_bytes = 0;  // of Movable
  // The kernel's zones are below their low watermarks: what they lack cannot come from Movable.
  bool kernel_short = false;
};
[[nodiscard]] ZoneShape ShapeOf(const kernel::Zones& zones);

// How much memory may be plugged before the metadata of its pages, 1/64 of it, has used up what the kernel's
// zones have free above their high watermarks, less a reserve; in whole blocks. One block fits as long as
// twice its metadata is free above the low watermarks: the rest of such a guest is page cache, which gives
// way.
[[nodiscard]] int64_t RoomBytes(const kernel::Zones& zones, int64_t block_size_bytes);

struct OnlineStep {
  int64_t number = 0;
  bool movable = false;  // else into a zone of the kernel's

  friend bool operator==(const OnlineStep&, const OnlineStep&) = default;
};

// For offline blocks in the order of their numbers, `at_most` of them, lowest first. By kAuto Movable stays
// at most three times as large as the other zones, these blocks included. What the kernel's zones need comes
// first, from the lowest addresses; then Movable from the highest down.
[[nodiscard]] std::vector<OnlineStep> PlanOnline(const std::vector<Block>& offline, ZoneChoice choice,
                                                 const ZoneShape& shape, int64_t block_size_bytes,
                                                 size_t at_most = SIZE_MAX);

// What the kernel can be left to do with blocks that are still to come, so that it ends as PlanOnline would
// have it. kOffline: nothing, as some of them would have to serve the kernel first. By kAuto a device may
// bring more than Movable has left of its share: KernelPartOf says what becomes of that.
[[nodiscard]] kernel::AutoOnline LeaveToKernel(ZoneChoice choice, const ZoneShape& shape,
                                               int64_t block_size_bytes);
// How many of `blocks` that have just come online in Movable have to serve the kernel instead, by kAuto;
// `shape` counts them already.
[[nodiscard]] int64_t KernelPartOf(int64_t blocks, const ZoneShape& shape, int64_t block_size_bytes);

// The blocks of the request that are online, in the order in which to try: Movable before the kernel's zones,
// each from the highest address down. `named` is what lies wholly in the ranges of the request; without
// ranges: what is Movable, and what was plugged while the agent ran.
[[nodiscard]] std::vector<Block> OrderOffline(const std::vector<Block>& named);
[[nodiscard]] bool IsOfferedUnnamed(const Block& block);

// True when the block lies wholly in one of the ranges; none: always.
[[nodiscard]] bool LiesWithin(int64_t number, int64_t block_size_bytes,
                              const std::vector<GuestRange>& ranges);

// Of blocks in the order of their numbers.
[[nodiscard]] std::vector<BlockRange> RangesOf(const std::vector<Block>& blocks);
// Puts `next` to the end of `ranges`, or makes the last of them longer where they are alike and neighbours.
void Append(const BlockRange& next, std::vector<BlockRange>& ranges);

}  // namespace ballast::agent
