// Between this agent's structs and the wire's messages, on the way out and in; events are in convert_event.h.
#pragma once

#include "absl/status/statusor.h"
#include "ballast/guest/v1/guest_agent.pb.h"
#include "guest-agent/service/watch_facts.h"

namespace ballast::agent {

// Zeros become the defaults. Errors: InvalidArgument naming the first wrong field, its value and its range.
[[nodiscard]] absl::StatusOr<WatchSettings> ToSettings(const guest::v1::WatchRequest& request);

void FillInfo(const AgentIdentity& identity, MonotonicTime now, guest::v1::GetInfoResponse& info);
void FillReport(const ReportFacts& facts, uint64_t events_lost, guest::v1::Report& report);
// All but its report.
void FillHello(const AgentIdentity& identity, const WatchSettings& in_force, guest::v1::Hello& hello);

}  // namespace ballast::agent
