// The acts' requests and results, between the wire and this agent's structs.
#pragma once

#include "absl/status/statusor.h"
#include "ballast/guest/v1/guest_agent.pb.h"
#include "guest-agent/act/act_types.h"

namespace ballast::agent {

// Errors: InvalidArgument naming the wrong field, its value and its range.
[[nodiscard]] absl::StatusOr<ReclaimWish> ToWish(const guest::v1::ReclaimRequest& request);
[[nodiscard]] absl::StatusOr<ZramWish> ToWish(const guest::v1::ConfigureZramRequest& request);
[[nodiscard]] absl::StatusOr<int32_t> ToSwappiness(const guest::v1::SetSwappinessRequest& request);
[[nodiscard]] guest::v1::Stop ToWire(Stop stop);
// 0 is the default.
[[nodiscard]] absl::StatusOr<int32_t> ToBrake(int32_t brake_permyriad);

void FillResult(const ReclaimResult& result, guest::v1::ReclaimResponse& response);
void FillResult(const CompactResult& result, guest::v1::CompactResponse& response);
void FillResult(const ZramResult& result, guest::v1::ConfigureZramResponse& response);
void FillResult(const SwappinessResult& result, guest::v1::SetSwappinessResponse& response);

}  // namespace ballast::agent
