#include "host-bridge/observe/convert_blocks.h"

#include <algorithm>
#include <string>

#include "ballast/guest/v1/guest_agent.pb.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "host-bridge/observe/convert_event.h"

namespace ballast::observe {
namespace {

namespace wire = ballast::guest::v1;

// Linux has sections of 128 MiB on x86 and of 512 MiB on arm64 with large pages; large machines join them to
// blocks of 2 GiB.
constexpr int64_t kLeastBlock = kMiB;
constexpr int64_t kLargestBlock = int64_t{1} << 40;
constexpr int kMostSpans = 16'384;
constexpr int kMostResults = 65'536;
constexpr size_t kMostRefusals = 4096;
constexpr size_t kMostReason = 200;

void CheckBlockSize(std::string_view field, int64_t bytes, Checker& check) {
  check.InRange(field, bytes, kLeastBlock, kLargestBlock);
  if (bytes > 0 && (bytes & (bytes - 1)) != 0) check.Fail(field, bytes, "is no power of two");
}

BlockState StateOf(wire::BlockState state) {
  switch (state) {
    case wire::BLOCK_STATE_ONLINE:
      return BlockState::kOnline;
    case wire::BLOCK_STATE_GOING_OFFLINE:
      return BlockState::kGoingOffline;
    default:
      return BlockState::kOffline;
  }
}

template <typename Response>
absl::StatusOr<BlockReceipt> ConvertResults(const Response& response, int64_t changed_bytes,
                                            int64_t block_bytes) {
  Checker check;
  check.InRange("blocks.size", response.blocks_size(), 0, kMostResults);
  check.InRange("changed_bytes", changed_bytes, 0, kMaxMemory);
  if (!check.status().ok()) return check.status();
  BlockReceipt receipt;
  receipt.block_bytes = block_bytes;
  receipt.changed_bytes = changed_bytes;
  for (const wire::BlockResult& result : response.blocks()) {
    check.InRange("blocks.block", result.block(), 0, kMaxMemory / std::max(block_bytes, kLeastBlock));
    if (!check.status().ok()) return check.status();
    // What only came back for another's sake has refused nothing.
    const bool obeyed = result.result() == wire::BlockResult::RESULT_DONE ||
                        result.result() == wire::BlockResult::RESULT_BROUGHT_BACK;
    if (obeyed || receipt.refused.size() >= kMostRefusals) continue;
    receipt.refused.push_back(
        {result.block() * block_bytes, result.error(), CleanText(result.reason(), kMostReason)});
  }
  std::sort(receipt.refused.begin(), receipt.refused.end(),
            [](const BlockRefusal& a, const BlockRefusal& b) { return a.address < b.address; });
  return receipt;
}

template <typename Request>
void FillRanges(const BlockOrder& order, Request& request) {
  for (const AddressRange& range : order.ranges) {
    wire::MemoryRange& filled = *request.add_ranges();
    filled.set_address(range.address);
    filled.set_bytes(range.bytes);
  }
  request.set_bytes(order.bytes);
}

}  // namespace

int64_t BlockBytesOf(const wire::GetInfoResponse& info) {
  const int64_t bytes = info.memory_hotplug().block_size_bytes();
  Checker check;
  CheckBlockSize("memory_hotplug.block_size_bytes", bytes, check);
  return check.status().ok() ? bytes : 0;
}

void CheckBlocks(const wire::Report& report, Checker& check) {
  if (!report.has_memory_blocks()) return;
  const wire::MemoryBlocks& blocks = report.memory_blocks();
  CheckBlockSize("memory_blocks.block_size_bytes", blocks.block_size_bytes(), check);
  check.InRange("memory_blocks.online_bytes", blocks.online_bytes(), 0, kMaxMemory);
  check.InRange("memory_blocks.offline_bytes", blocks.offline_bytes(), 0, kMaxMemory);
  check.InRange("memory_blocks.movable_bytes", blocks.movable_bytes(), 0, kMaxMemory);
  check.AtMost("memory_blocks.movable_bytes", blocks.movable_bytes(), "online_bytes", blocks.online_bytes());
  check.InRange("memory_blocks.failed_bytes", blocks.failed_bytes(), 0, kMaxMemory);
  check.AtMost("memory_blocks.failed_bytes", blocks.failed_bytes(), "offline_bytes", blocks.offline_bytes());
  if (blocks.has_room_bytes()) check.InRange("memory_blocks.room_bytes", blocks.room_bytes(), 0, kMaxMemory);
}

std::optional<policy::BlockReading> BlocksOf(const wire::Report& report) {
  if (!report.has_memory_blocks()) return std::nullopt;
  const wire::MemoryBlocks& blocks = report.memory_blocks();
  policy::BlockReading reading;
  reading.offline_bytes = blocks.offline_bytes();
  reading.movable_bytes = blocks.movable_bytes();
  if (blocks.has_room_bytes()) reading.room_bytes = blocks.room_bytes();
  return reading;
}

absl::StatusOr<BlockReceipt> ConvertBlocks(const wire::ListMemoryBlocksResponse& response) {
  Checker check;
  CheckBlockSize("block_size_bytes", response.block_size_bytes(), check);
  check.InRange("ranges.size", response.ranges_size(), 0, kMostSpans);
  if (!check.status().ok()) return check.status();
  BlockReceipt receipt;
  receipt.block_bytes = response.block_size_bytes();
  const int64_t most = kMaxMemory / receipt.block_bytes;
  int64_t next = 0;
  for (const wire::BlockRange& range : response.ranges()) {
    check.InRange("ranges.first", range.first(), next, most);
    check.InRange("ranges.count", range.count(), 1, most);
    if (!check.status().ok()) return check.status();
    next = range.first() + range.count();
    receipt.spans.push_back({{range.first() * receipt.block_bytes, range.count() * receipt.block_bytes},
                             StateOf(range.state()),
                             range.state() == wire::BLOCK_STATE_ONLINE && range.zone() == "Movable"});
  }
  return receipt;
}

absl::StatusOr<BlockReceipt> ConvertBlocks(const wire::OnlineMemoryResponse& response, int64_t block_bytes) {
  return ConvertResults(response, response.online_bytes(), block_bytes);
}

absl::StatusOr<BlockReceipt> ConvertBlocks(const wire::OfflineMemoryResponse& response, int64_t block_bytes) {
  auto receipt = ConvertResults(response, response.offline_bytes(), block_bytes);
  if (receipt.ok()) receipt->pressed = response.stop() == wire::STOP_PRESSURE;
  return receipt;
}

void FillRequest(const BlockOrder& order, wire::OnlineMemoryRequest& request) { FillRanges(order, request); }

void FillRequest(const BlockOrder& order, wire::OfflineMemoryRequest& request) {
  FillRanges(order, request);
  request.set_all_or_nothing(order.all_or_nothing);
  request.set_put_back_after_ms(order.put_back_after.count / 1'000'000);
}

}  // namespace ballast::observe
