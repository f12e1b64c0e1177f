#include "guest-agent/blocks/block_plan.h"

#include <algorithm>
#include <iterator>

#include "common/base/units.h"

namespace ballast::agent {
namespace {

using kernel::ZoneKind;

constexpr int64_t kMovableToKernel = 3;
// struct page: 64 bytes for each 4096.
constexpr int64_t kMemoryPerMetadata = 64;
// What the kernel's zones keep besides: page tables and device structures of what is plugged.
constexpr int64_t kRoomReserve = 8 * kMiB;
// The kernel's default for what allocations that could be served from Normal leave of DMA32.
constexpr int64_t kLowmemReserveRatio = 256;

bool ServesKernel(ZoneKind kind) { return kind != ZoneKind::kMovable && kind != ZoneKind::kDevice; }

// How many of `blocks` more have to serve the kernel so that Movable stays within its share.
int64_t KernelBlocksNeeded(const ZoneShape& shape, int64_t blocks, int64_t block_size_bytes) {
  const int64_t beyond =
      shape.movable_bytes + blocks * block_size_bytes - kMovableToKernel * shape.kernel_bytes;
  const int64_t each = (kMovableToKernel + 1) * block_size_bytes;
  const int64_t needed = beyond <= 0 ? 0 : (beyond + each - 1) / each;
  return std::max<int64_t>(needed, shape.kernel_short && blocks > 0 ? 1 : 0);
}

}  // namespace

ZoneShape ShapeOf(const kernel::Zones& zones) {
  ZoneShape shape;
  int64_t free = 0;
  int64_t low = 0;
  for (const kernel::Zone& zone : zones) {
    if (zone.kind == ZoneKind::kMovable) shape.movable_bytes += zone.present_bytes;
    if (!ServesKernel(zone.kind)) continue;
    shape.kernel_bytes += zone.present_bytes;
    free += zone.free_bytes;
    low += zone.low_bytes;
  }
  shape.kernel_short = free < low;
  return shape;
}

int64_t RoomBytes(const kernel::Zones& zones, int64_t block_size_bytes) {
  int64_t above_high = 0;
  int64_t above_low = 0;
  int64_t normal_bytes = 0;
  for (const kernel::Zone& zone : zones) {
    if (zone.kind == ZoneKind::kNormal) normal_bytes = zone.managed_bytes;
  }
  for (const kernel::Zone& zone : zones) {
    // The kernel keeps the few megabytes of DMA for those who can use no others.
    if (!ServesKernel(zone.kind) || zone.kind == ZoneKind::kDma) continue;
    const int64_t kept = zone.kind == ZoneKind::kDma32 ? normal_bytes / kLowmemReserveRatio : 0;
    above_high += std::max<int64_t>(zone.free_bytes - zone.high_bytes - kept, 0);
    above_low += std::max<int64_t>(zone.free_bytes - zone.low_bytes - kept, 0);
  }
  const int64_t spare = std::min(above_high - kRoomReserve, kernel::kMaxBlockSize * 4);
  const int64_t blocks = spare <= 0 ? 0 : spare * kMemoryPerMetadata / block_size_bytes;
  const bool one_fits = above_low >= 2 * block_size_bytes / kMemoryPerMetadata;
  return std::max<int64_t>(blocks, one_fits ? 1 : 0) * block_size_bytes;
}

std::vector<OnlineStep> PlanOnline(const std::vector<Block>& offline, ZoneChoice choice,
                                   const ZoneShape& shape, int64_t block_size_bytes, size_t at_most) {
  const std::vector<Block> chosen(
      offline.begin(), offline.begin() + static_cast<ptrdiff_t>(std::min(at_most, offline.size())));
  int64_t to_kernel = 0;
  const auto count = static_cast<int64_t>(chosen.size());
  if (choice == ZoneChoice::kKernel) to_kernel = count;
  if (choice == ZoneChoice::kAuto) to_kernel = KernelBlocksNeeded(shape, count, block_size_bytes);
  std::vector<OnlineStep> steps;
  std::vector<OnlineStep> movable;
  for (const Block& block : chosen) {
    const bool kernel = to_kernel-- > 0;
    (kernel ? steps : movable).push_back({block.number, !kernel});
  }
  steps.insert(steps.end(), movable.rbegin(), movable.rend());
  return steps;
}

kernel::AutoOnline LeaveToKernel(ZoneChoice choice, const ZoneShape& shape, int64_t block_size_bytes) {
  if (choice == ZoneChoice::kKernel) return kernel::AutoOnline::kKernel;
  if (choice == ZoneChoice::kMovable) return kernel::AutoOnline::kMovable;
  return KernelBlocksNeeded(shape, 1, block_size_bytes) == 0 ? kernel::AutoOnline::kMovable
                                                             : kernel::AutoOnline::kOffline;
}

int64_t KernelPartOf(int64_t blocks, const ZoneShape& shape, int64_t block_size_bytes) {
  ZoneShape before = shape;
  before.movable_bytes -= blocks * block_size_bytes;
  return std::min(KernelBlocksNeeded(before, blocks, block_size_bytes), blocks);
}

bool IsOfferedUnnamed(const Block& block) { return block.zone == ZoneKind::kMovable || block.plugged; }

std::vector<Block> OrderOffline(const std::vector<Block>& named) {
  std::vector<Block> order;
  std::copy_if(named.begin(), named.end(), std::back_inserter(order),
               [](const Block& block) { return block.state == kernel::BlockState::kOnline; });
  std::sort(order.begin(), order.end(), [](const Block& a, const Block& b) {
    const bool a_moves = a.zone == ZoneKind::kMovable;
    const bool b_moves = b.zone == ZoneKind::kMovable;
    return a_moves != b_moves ? a_moves : a.number > b.number;
  });
  return order;
}

bool LiesWithin(int64_t number, int64_t block_size_bytes, const std::vector<GuestRange>& ranges) {
  if (ranges.empty()) return true;
  // In blocks, so that no sum of addresses can be too large.
  return std::any_of(ranges.begin(), ranges.end(), [&](const GuestRange& range) {
    const int64_t begin_rest = range.address % block_size_bytes;
    const int64_t first = range.address / block_size_bytes + (begin_rest != 0 ? 1 : 0);
    const int64_t until = range.address / block_size_bytes + range.bytes / block_size_bytes +
                          (begin_rest + range.bytes % block_size_bytes) / block_size_bytes;
    return number >= first && number < until;
  });
}

void Append(const BlockRange& next, std::vector<BlockRange>& ranges) {
  if (!ranges.empty()) {
    BlockRange& last = ranges.back();
    if (last.first + last.count == next.first && last.state == next.state && last.zone == next.zone) {
      last.count += next.count;
      return;
    }
  }
  ranges.push_back(next);
}

std::vector<BlockRange> RangesOf(const std::vector<Block>& blocks) {
  std::vector<BlockRange> ranges;
  for (const Block& block : blocks) {
    const bool online = block.state == kernel::BlockState::kOnline;
    Append({block.number, 1, block.state, online ? block.zone : std::nullopt}, ranges);
  }
  return ranges;
}

}  // namespace ballast::agent
