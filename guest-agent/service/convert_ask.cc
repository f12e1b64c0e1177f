#include "guest-agent/service/convert_ask.h"

#include "common/base/text.h"
#include "guest-agent/ask/wire_urgency.h"

namespace ballast::agent {
namespace {

constexpr int64_t kMaxRequestBytes = int64_t{1} << 50;
constexpr int64_t kDefaultDeadlineMs = 2'000;
constexpr int64_t kMaxDeadlineMs = 60'000;

// A value this agent does not know counts as the default.
Urgency FromWire(guest::v1::Urgency urgency) {
  switch (urgency) {
    case guest::v1::URGENCY_LOW:
      return Urgency::kLow;
    case guest::v1::URGENCY_KILL:
      return Urgency::kKill;
    default:
      return Urgency::kNormal;
  }
}

}  // namespace

absl::StatusOr<MemoryRequested> ToRequest(const guest::v1::RequestMemoryRequest& wire) {
  MemoryRequested request;
  if (wire.bytes() < 1 || wire.bytes() > kMaxRequestBytes) {
    return absl::InvalidArgumentError(StrCat("bytes is ", wire.bytes(), "; allowed: 1..2^50"));
  }
  if (wire.deadline_ms() < 0 || wire.deadline_ms() > kMaxDeadlineMs) {
    return absl::InvalidArgumentError(
        StrCat("deadline_ms is ", wire.deadline_ms(), "; allowed: 0 (default) or 1..", kMaxDeadlineMs));
  }
  if (wire.asker().size() > request.asker.text.size()) {
    return absl::InvalidArgumentError(
        StrCat("asker has ", wire.asker().size(), " bytes; allowed: at most ", request.asker.text.size()));
  }
  request.bytes = wire.bytes();
  request.urgency = FromWire(wire.urgency());
  request.deadline_ms = wire.deadline_ms() == 0 ? kDefaultDeadlineMs : wire.deadline_ms();
  request.asker = ToAskerName(wire.asker());
  return request;
}

MemoryGrant ToGrant(const guest::v1::RequestMemoryResponse& wire) {
  return {wire.granted_bytes(), wire.actuator(), wire.eta_ms(), wire.reason()};
}

void FillGrant(const MemoryGrant& grant, guest::v1::RequestMemoryResponse& wire) {
  wire.set_granted_bytes(grant.granted_bytes);
  wire.set_actuator(grant.actuator);
  wire.set_eta_ms(grant.eta_ms);
  wire.set_reason(grant.reason);
}

void FillRequest(const MemoryRequested& request, guest::v1::MemoryRequest& wire) {
  wire.set_id(request.id);
  wire.set_bytes(request.bytes);
  wire.set_urgency(ToWire(request.urgency));
  wire.set_deadline_ms(request.deadline_ms);
  wire.set_asker(std::string(ToText(request.asker)));
}

}  // namespace ballast::agent
