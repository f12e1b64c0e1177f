// Memory blocks between the wire and this agent's structs.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "ballast/guest/v1/guest_agent.pb.h"
#include "guest-agent/blocks/block_acts.h"
#include "guest-agent/blocks/hotplug_facts.h"
#include "guest-agent/service/watch_facts.h"

namespace ballast::agent {

// Errors: InvalidArgument naming the wrong field, its value and its range.
[[nodiscard]] absl::StatusOr<OnlineWish> ToWish(const guest::v1::OnlineMemoryRequest& request);
[[nodiscard]] absl::StatusOr<OfflineWish> ToWish(const guest::v1::OfflineMemoryRequest& request);

void FillResult(const BlocksResult& result, guest::v1::OnlineMemoryResponse& response);
void FillResult(const BlocksResult& result, guest::v1::OfflineMemoryResponse& response);
void FillBlocks(int64_t block_size_bytes, const std::vector<BlockRange>& ranges,
                guest::v1::ListMemoryBlocksResponse& response);
// Nothing when there are more than an event holds.
void FillChanges(const std::vector<BlockRange>& ranges, guest::v1::BlocksChanged& event);
void FillHotplug(const HotplugFacts& facts, guest::v1::MemoryHotplug& wire);
// `zones` may be null: they cannot be read.
void FillSums(const BlockFacts& facts, const kernel::Zones* zones, guest::v1::MemoryBlocks& wire);

}  // namespace ballast::agent
