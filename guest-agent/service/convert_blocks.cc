#include "guest-agent/service/convert_blocks.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "common/base/text.h"
#include "guest-agent/service/convert_act.h"

namespace ballast::agent {
namespace {

constexpr int kMaxRanges = 256;          // that a request may name
constexpr size_t kMaxEventRanges = 256;  // that an event tells
constexpr size_t kMaxResults = 1024;     // that a response tells; a bridge takes 512 KiB of it
constexpr int64_t kMaxAddress = int64_t{1} << 57;
constexpr int64_t kMaxPutBackMs = 3'600'000;

absl::Status Outside(std::string_view field, int64_t value, std::string_view allowed) {
  return absl::InvalidArgumentError(StrCat(field, " is ", value, "; allowed: ", allowed));
}

absl::Status CheckBytes(int64_t bytes) {
  if (bytes >= 0 && bytes <= kMaxAddress) return absl::OkStatus();
  return Outside("bytes", bytes, "0..2^57");
}

template <typename Ranges>
absl::Status ReadRanges(const Ranges& wire, std::vector<GuestRange>& ranges) {
  if (wire.size() > kMaxRanges) {
    return absl::InvalidArgumentError(StrCat(wire.size(), " ranges; allowed: at most ", kMaxRanges));
  }
  for (int i = 0; i < wire.size(); ++i) {
    const guest::v1::MemoryRange& range = wire.Get(i);
    if (range.address() < 0 || range.address() > kMaxAddress) {
      return Outside(StrCat("ranges[", i, "].address"), range.address(), "0..2^57");
    }
    if (range.bytes() < 1 || range.bytes() > kMaxAddress) {
      return Outside(StrCat("ranges[", i, "].bytes"), range.bytes(), "1..2^57");
    }
    ranges.push_back({range.address(), range.bytes()});
  }
  return absl::OkStatus();
}

absl::StatusOr<ZoneChoice> ToChoice(guest::v1::OnlineZone zone) {
  switch (zone) {
    case guest::v1::ONLINE_ZONE_UNSPECIFIED:
    case guest::v1::ONLINE_ZONE_AUTO:
      return ZoneChoice::kAuto;
    case guest::v1::ONLINE_ZONE_KERNEL:
      return ZoneChoice::kKernel;
    case guest::v1::ONLINE_ZONE_MOVABLE:
      return ZoneChoice::kMovable;
    default:
      return Outside("zone", zone, "0 to 3");
  }
}

guest::v1::BlockState ToWire(const std::optional<kernel::BlockState>& state) {
  if (!state) return guest::v1::BLOCK_STATE_GONE;
  switch (*state) {
    case kernel::BlockState::kOffline:
      return guest::v1::BLOCK_STATE_OFFLINE;
    case kernel::BlockState::kGoingOffline:
      return guest::v1::BLOCK_STATE_GOING_OFFLINE;
    case kernel::BlockState::kOnline:
      return guest::v1::BLOCK_STATE_ONLINE;
  }
  return guest::v1::BLOCK_STATE_UNSPECIFIED;
}

guest::v1::BlockResult::Result ToWire(BlockResult::Kind kind) {
  switch (kind) {
    case BlockResult::Kind::kDone:
      return guest::v1::BlockResult::RESULT_DONE;
    case BlockResult::Kind::kFailed:
      return guest::v1::BlockResult::RESULT_FAILED;
    case BlockResult::Kind::kSkipped:
      return guest::v1::BlockResult::RESULT_SKIPPED;
    case BlockResult::Kind::kBroughtBack:
      return guest::v1::BlockResult::RESULT_BROUGHT_BACK;
  }
  return guest::v1::BlockResult::RESULT_UNSPECIFIED;
}

void FillRange(const BlockRange& from, guest::v1::BlockRange& to) {
  to.set_first(from.first);
  to.set_count(from.count);
  to.set_state(ToWire(from.state));
  if (from.state != kernel::BlockState::kOnline) return;
  to.set_zone(from.zone ? std::string(kernel::NameOf(*from.zone)) : "none");
}

// Lower: rather told.
int RankOf(BlockResult::Kind kind) {
  switch (kind) {
    case BlockResult::Kind::kFailed:
      return 0;
    case BlockResult::Kind::kSkipped:
      return 1;
    case BlockResult::Kind::kBroughtBack:
      return 2;
    case BlockResult::Kind::kDone:
      break;
  }
  return 3;
}

// By number.
std::vector<BlockResult> WorthTelling(std::vector<BlockResult> all) {
  if (all.size() <= kMaxResults) return all;
  std::stable_sort(all.begin(), all.end(), [](const BlockResult& a, const BlockResult& b) {
    return RankOf(a.kind) < RankOf(b.kind);
  });
  all.resize(kMaxResults);
  std::sort(all.begin(), all.end(),
            [](const BlockResult& a, const BlockResult& b) { return a.number < b.number; });
  return all;
}

template <typename Response>
void FillCommon(const BlocksResult& result, Response& response) {
  const std::vector<BlockResult> told = WorthTelling(result.blocks);
  response.set_more_blocks(std::ssize(result.blocks) - std::ssize(told));
  for (const BlockResult& block : told) {
    auto& wire = *response.add_blocks();
    wire.set_block(block.number);
    wire.set_result(ToWire(block.kind));
    wire.set_error(block.error);
    wire.set_reason(block.reason);
    wire.set_zone(block.zone);
  }
  response.set_stop(ToWire(result.stop));
  response.set_duration_ms(result.took.count / kNanosPerMilli);
}

}  // namespace

absl::StatusOr<OnlineWish> ToWish(const guest::v1::OnlineMemoryRequest& request) {
  OnlineWish wish;
  auto status = ReadRanges(request.ranges(), wish.ranges);
  status.Update(CheckBytes(request.bytes()));
  const auto choice = ToChoice(request.zone());
  status.Update(choice.status());
  if (!status.ok()) return status;
  wish.bytes = request.bytes();
  wish.choice = *choice;
  return wish;
}

absl::StatusOr<OfflineWish> ToWish(const guest::v1::OfflineMemoryRequest& request) {
  OfflineWish wish;
  auto status = ReadRanges(request.ranges(), wish.ranges);
  status.Update(CheckBytes(request.bytes()));
  if (request.put_back_after_ms() < 0 || request.put_back_after_ms() > kMaxPutBackMs) {
    status.Update(Outside("put_back_after_ms", request.put_back_after_ms(), "0 (never)..3600000"));
  }
  if (!status.ok()) return status;
  wish.bytes = request.bytes();
  wish.all_or_nothing = request.all_or_nothing();
  wish.put_back_after = Milliseconds(request.put_back_after_ms());
  return wish;
}

void FillResult(const BlocksResult& result, guest::v1::OnlineMemoryResponse& response) {
  response.set_online_bytes(result.bytes);
  FillCommon(result, response);
}

void FillResult(const BlocksResult& result, guest::v1::OfflineMemoryResponse& response) {
  response.set_offline_bytes(result.bytes);
  FillCommon(result, response);
}

void FillBlocks(int64_t block_size_bytes, const std::vector<BlockRange>& ranges,
                guest::v1::ListMemoryBlocksResponse& response) {
  response.set_block_size_bytes(block_size_bytes);
  for (const BlockRange& range : ranges) FillRange(range, *response.add_ranges());
}

void FillChanges(const std::vector<BlockRange>& ranges, guest::v1::BlocksChanged& event) {
  if (ranges.size() > kMaxEventRanges) return;
  for (const BlockRange& range : ranges) FillRange(range, *event.add_ranges());
}

void FillHotplug(const HotplugFacts& facts, guest::v1::MemoryHotplug& wire) {
  wire.set_block_size_bytes(facts.block_size_bytes);
  wire.set_kernel_policy(facts.kernel_policy);
  wire.set_agent_policy(facts.agent_policy);
  wire.set_memmap_on_memory(facts.memmap_on_memory);
  for (const std::string& rival : facts.rivals) wire.add_rivals(rival);
}

void FillSums(const BlockFacts& facts, const kernel::Zones* zones, guest::v1::MemoryBlocks& wire) {
  wire.set_block_size_bytes(facts.sums.block_size_bytes);
  wire.set_online_bytes(facts.sums.online_bytes);
  wire.set_offline_bytes(facts.sums.offline_bytes);
  wire.set_movable_bytes(facts.sums.movable_bytes);
  wire.set_failed_bytes(facts.sums.failed_bytes);
  if (zones == nullptr || facts.memmap_on_memory) return;
  wire.set_room_bytes(RoomBytes(*zones, facts.sums.block_size_bytes));
}

}  // namespace ballast::agent
