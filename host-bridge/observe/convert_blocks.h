// The agent's words on memory blocks as facts. As hostile as its reports: an answer is taken whole or
// rejected whole.
#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "host-bridge/observe/blocks.h"
#include "host-bridge/observe/checker.h"
#include "host-bridge/policy/snapshot.h"

namespace ballast::guest::v1 {
class GetInfoResponse;
class ListMemoryBlocksResponse;
class OfflineMemoryRequest;
class OfflineMemoryResponse;
class OnlineMemoryRequest;
class OnlineMemoryResponse;
class Report;
}  // namespace ballast::guest::v1

namespace ballast::observe {

// The size of the guest's memory blocks; 0 when it has none, or says what cannot be.
[[nodiscard]] int64_t BlockBytesOf(const guest::v1::GetInfoResponse& info);

// Ranges, and sums that the blocks allow, of the report's part on memory blocks.
void CheckBlocks(const guest::v1::Report& report, Checker& check);
// That part; absent where the guest has no memory blocks. Needs a report that CheckBlocks passed.
[[nodiscard]] std::optional<policy::BlockReading> BlocksOf(const guest::v1::Report& report);

// All but `id` and `status` of a receipt. Errors: InvalidArgument "field = value: what is wrong".
[[nodiscard]] absl::StatusOr<BlockReceipt> ConvertBlocks(const guest::v1::ListMemoryBlocksResponse& response);
// `block_bytes`: the guest's, from an earlier listing; the address of a refused block is worked out with it.
[[nodiscard]] absl::StatusOr<BlockReceipt> ConvertBlocks(const guest::v1::OnlineMemoryResponse& response,
                                                         int64_t block_bytes);
[[nodiscard]] absl::StatusOr<BlockReceipt> ConvertBlocks(const guest::v1::OfflineMemoryResponse& response,
                                                         int64_t block_bytes);

void FillRequest(const BlockOrder& order, guest::v1::OnlineMemoryRequest& request);
void FillRequest(const BlockOrder& order, guest::v1::OfflineMemoryRequest& request);

}  // namespace ballast::observe
