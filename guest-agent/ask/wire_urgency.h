// How urgent a request for memory is, on the wire: for who asks and for who passes it on.
#pragma once

#include "ballast/guest/v1/guest_agent.pb.h"
#include "guest-agent/ask/memory_request.h"

namespace ballast::agent {

[[nodiscard]] inline guest::v1::Urgency ToWire(Urgency urgency) {
  switch (urgency) {
    case Urgency::kLow:
      return guest::v1::URGENCY_LOW;
    case Urgency::kNormal:
      return guest::v1::URGENCY_NORMAL;
    case Urgency::kKill:
      return guest::v1::URGENCY_KILL;
  }
  return guest::v1::URGENCY_UNSPECIFIED;
}

}  // namespace ballast::agent
