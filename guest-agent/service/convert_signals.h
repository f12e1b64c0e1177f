// The signals beside the samples, as the wire's messages.
#pragma once

#include "ballast/guest/v1/guest_agent.pb.h"
#include "guest-agent/service/watch_facts.h"

namespace ballast::agent {

// Zones, zram, zswap, swap, cgroups, the working set, direct reclaim and memory blocks.
void FillSignals(const ReportFacts& facts, guest::v1::Report& report);

}  // namespace ballast::agent
