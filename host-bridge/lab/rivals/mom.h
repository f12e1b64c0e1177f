// MOM's balloon rules as vdsm ships them (oVirt/mom: doc/balloon.rules; oVirt/vdsm: mom.d/02-balloon.policy).
//
// Monitors sample host and guests every 5 s and keep ten samples; the policy runs every 10 s on their means.
// Host pressure: free below 20 %. Then every guest shrinks by at most 5 % of its size, not below max(minimum,
// used + f of its size), where f falls from 20 % in proportion to the host's free share, and is that share
// less 5 % when it is 5 % or less (the guest is made to swap). Without pressure every ballooned guest grows
// by 5 %, or to used + 20 %. A change below 0.25 % is not made. Used = balloon_cur - MemFree, so page cache
// counts as used.
//
// Mapped: balloon_min = the plan's floor; the host's MemFree + Buffers + Cached = its MemAvailable. A guest
// whose statistics lack MemFree is "not ready" and left alone, and its samples begin anew. Device: libvirt's
// plain balloon.
#pragma once

#include <memory>

#include "host-bridge/lab/world/controller.h"

namespace ballast::sim {

[[nodiscard]] std::unique_ptr<Controller> MakeMom(const WorldPlan& plan);

}  // namespace ballast::sim
