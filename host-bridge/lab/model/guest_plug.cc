// What becomes of memory that a guest is plugged with: it comes online after a while, or not all of it, and
// leaves as far as it is free or only cached.
#include <algorithm>

#include "host-bridge/lab/model/flow.h"
#include "host-bridge/lab/model/guest_model.h"
#include "host-bridge/lab/model/kernel_numbers.h"

namespace ballast::sim {

// A VMM plugs at once; what it is asked to take back it holds until the guest has let go of it.
void GuestModel::SetPlugged(int64_t bytes) {
  plug_requested_ = std::clamp<int64_t>(bytes, 0, spec_.device.plug_bytes);
  if (plug_requested_ > plugged_) {
    plugged_ = plug_requested_;
    plug_wait_ = spec_.device.plug_latency;
  }
  settled_ = false;
}

int64_t GuestModel::PlugWanted() const {
  return plug_requested_ - plug_requested_ / kWholeShare * spec_.device.plug_refused_permyriad;
}

int64_t GuestModel::PlugLeast() const {
  const int64_t stays = plug_peak_ / kWholeShare * spec_.device.plug_stays_permyriad;
  return std::max(plug_requested_, stays);
}

bool GuestModel::plug_moves() const {
  if (spec_.device.plug_bytes == 0 || !booted() || settled_) return false;
  return plug_wait_.count > 0 || memory_.plugged() < PlugWanted() || plugged_ > PlugLeast();
}

void GuestModel::FollowPlug(Nanos span, Strain& strain) {
  if (plug_requested_ >= plugged_) {
    BringOnline(span, strain);
  } else {
    TakeOffline(span, strain);
  }
}

void GuestModel::BringOnline(Nanos span, Strain& strain) {
  if (plug_wait_.count > 0) {
    const Nanos waited = std::min(plug_wait_, span);
    plug_wait_ = plug_wait_ - waited;
    span = span - waited;
    strain.moved = true;
  }
  const int64_t missing = PlugWanted() - memory_.plugged();
  if (missing <= 0 || span.count == 0) return;
  const int64_t most = BytesIn(spec_.device.online_bytes_per_second, span);
  if (memory_.Plug(std::min(missing, most)) > 0) strain.moved = true;
  plug_peak_ = std::max(plug_peak_, memory_.plugged());
}

// What is free leaves, then page cache: cold before hot. Programs' memory stays where it is.
void GuestModel::TakeOffline(Nanos span, Strain& strain) {
  const int64_t never_used = std::min(plugged_ - plug_requested_, offline());
  plugged_ -= never_used;
  const int64_t most = std::min(plugged_ - PlugLeast(), BytesIn(spec_.device.offline_bytes_per_second, span));
  if (most <= 0) {
    strain.moved = strain.moved || never_used > 0;
    return;
  }
  const int64_t short_of = most - (memory_.free() - memory_.high_watermark());
  if (short_of > 0) {
    const int64_t dropped = memory_.ColdToFree(short_of);
    const int64_t evicted = memory_.HotToFree(short_of - dropped);
    evicted_hot_ += evicted;
  }
  const int64_t left = memory_.Unplug(most, memory_.high_watermark());
  plugged_ -= left;
  if (left + never_used > 0) strain.moved = true;
}

}  // namespace ballast::sim
