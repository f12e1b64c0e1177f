// From an event's structs to the wire's message.
#pragma once

#include "ballast/guest/v1/guest_agent.pb.h"
#include "guest-agent/service/watch_facts.h"

namespace ballast::agent {

[[nodiscard]] guest::v1::Source ToWire(OomSource source);
void FillEvent(const EventFacts& facts, guest::v1::Event& event);

}  // namespace ballast::agent
