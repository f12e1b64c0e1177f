// Requests for memory and their answers, between the wire and this agent's structs.
#pragma once

#include "absl/status/statusor.h"
#include "ballast/guest/v1/guest_agent.pb.h"
#include "guest-agent/ask/memory_request.h"

namespace ballast::agent {

// Zeros become the defaults. Errors: InvalidArgument naming the first wrong field, its value and its range.
[[nodiscard]] absl::StatusOr<MemoryRequested> ToRequest(const guest::v1::RequestMemoryRequest& wire);
[[nodiscard]] MemoryGrant ToGrant(const guest::v1::RequestMemoryResponse& wire);
void FillGrant(const MemoryGrant& grant, guest::v1::RequestMemoryResponse& wire);
void FillRequest(const MemoryRequested& request, guest::v1::MemoryRequest& wire);

}  // namespace ballast::agent
