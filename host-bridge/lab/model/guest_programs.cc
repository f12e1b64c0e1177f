// What the guest's programs do to its memory, and what its kernel does for them.
#include <algorithm>

#include "host-bridge/lab/model/flow.h"
#include "host-bridge/lab/model/guest_model.h"
#include "host-bridge/lab/model/kernel_numbers.h"

namespace ballast::sim {
namespace {

// How much of `missing` is read in at a speed that falls as it is found in the cache: 1 - e^-x, as a
// quotient, with x = bytes / whole. The last bit comes at once, or the approach would never end.
int64_t Approached(int64_t missing, int64_t bytes, int64_t whole) {
  constexpr int64_t kOne = int64_t{1} << 20;
  constexpr int64_t kLastBit = 64 * kKiB;
  if (missing <= std::min(bytes, kLastBit)) return missing;
  const int64_t x = std::min(bytes, 64 * whole) * kOne / std::max<int64_t>(1, whole);
  const int64_t growth = kOne + x + x * x / (2 * kOne) + x * x / kOne * x / (6 * kOne);
  return missing - missing * kOne / growth;
}

// value * part / whole, by pages, so that it stays within 64 bits.
int64_t ScaledBy(int64_t value, int64_t part, int64_t whole) {
  if (part == whole && whole >= kPage) return value / kPage * kPage;
  return value / kPage * (part / kPage) / std::max<int64_t>(1, whole / kPage) * kPage;
}

}  // namespace

void GuestModel::ShrinkAnon(Strain& strain) {
  const int64_t wanted = killed_ ? std::min(kDaemons, segment_.anon_bytes) : segment_.anon_bytes;
  const int64_t held = memory_.anon() + memory_.swapped();
  const int64_t excess = held - wanted;
  if (excess <= 0) return;
  // What ends was swapped as much as the rest.
  const int64_t swapped =
      static_cast<int64_t>(memory_.swapped() * (excess / kPage) / std::max<int64_t>(1, held / kPage));
  memory_.DropSwapped(swapped);
  memory_.AnonToFree(excess - swapped);
  strain.moved = true;
}

int64_t GuestModel::EvictHotToAnon(int64_t bytes) {
  const int64_t evicted = memory_.HotToAnon(bytes);
  evicted_hot_ += evicted;
  return evicted;
}

void GuestModel::GrowAnon(Nanos span, Strain& strain) {
  const int64_t missing = AnonMissing();
  if (missing == 0) {
    exhausted_for_ = {};
    return;
  }
  strain.moved = true;
  const int64_t speed = segment_.anon_bytes_per_second > 0 ? segment_.anon_bytes_per_second : kTouchSpeed;
  int64_t wanted = std::min(missing, BytesIn(speed, span));
  wanted -= memory_.FreeToAnon(wanted, memory_.low_watermark());
  wanted -= GrowBesideCache(wanted, span, strain);
  wanted -= memory_.ColdToAnon(wanted);
  wanted -= EvictHotToAnon(wanted);
  wanted -= memory_.FreeToAnon(wanted, memory_.min_watermark());
  wanted -= GrowBySwapping(wanted, span, strain);
  if (wanted > 0) wanted -= GrowByOomDeflation(wanted, span, strain);
  CountDown(wanted, span, strain);
}

int64_t GuestModel::GrowBesideCache(int64_t bytes, Nanos span, Strain& strain) {
  if (spec_.swaps_early_permyriad == 0 || memory_.cache() == 0) return 0;
  return GrowBySwapping(bytes * spec_.swaps_early_permyriad / kWholeShare, span, strain);
}

int64_t GuestModel::GrowBySwapping(int64_t bytes, Nanos span, Strain& strain) {
  if (bytes <= 0 || spec_.zram_bytes <= 0) return 0;
  // Two thirds of what leaves are won.
  const int64_t out = std::min({bytes + bytes / 2, BytesIn(kSwapOutSpeed, span), Swappable()});
  if (out <= 0) return 0;
  memory_.SwapOut(out);
  strain.waited_ns += TimeFor(out, kSwapOutSpeed).count;
  const int64_t got = memory_.FreeToAnon(bytes, memory_.min_watermark());
  // A direct reclaim that makes progress asks again; it is no countdown to a kill.
  return got > 0 ? bytes : 0;
}

int64_t GuestModel::GrowByOomDeflation(int64_t bytes, Nanos span, Strain& strain) {
  if (!spec_.device.deflate_on_oom || stuck_ || memory_.balloon() == 0) return 0;
  const int64_t speed = segment_.anon_bytes_per_second > 0 ? segment_.anon_bytes_per_second : kTouchSpeed;
  const int64_t each_ns = kOomDeflationTime.count + TimeFor(kOomDeflation, speed).count;
  oom_owed_ += kOomDeflation * (span.count / 1'000) / (each_ns / 1'000);
  int64_t freed = 0;
  while (oom_owed_ >= kOomDeflation && freed < bytes && memory_.balloon() > 0) {
    freed += memory_.BalloonToFree(kOomDeflation);
    oom_owed_ -= kOomDeflation;
    strain.waited_ns += kOomDeflationTime.count;
  }
  oom_owed_ = std::min(oom_owed_, kOomDeflation);
  counters_.oom_deflated_bytes += freed;
  shrank_by_itself_ = true;
  // The time this cost has paid for the programs' own pace too.
  memory_.FreeToAnon(std::min(std::max(bytes, freed), AnonMissing()), memory_.min_watermark());
  return bytes;  // the handler answers each call: nobody is killed while there is a balloon
}

void GuestModel::CountDown(int64_t unmet, Nanos span, Strain& strain) {
  if (unmet <= 0) {
    exhausted_for_ = {};
    return;
  }
  strain.waited_ns += span.count / 2;
  // Pages that a deflation brings end each reclaim with a success.
  if (strain.relieved) {
    exhausted_for_ = {};
    return;
  }
  exhausted_for_ = exhausted_for_ + span;
  if (exhausted_for_ >= kReclaimBeforeKill) Kill(AnonMissing(), strain);
}

void GuestModel::Kill(int64_t unmet, Strain& strain) {
  ++counters_.oom_kills;
  counters_.unmet_at_kill = unmet;
  killed_ = true;
  exhausted_for_ = {};
  ShrinkAnon(strain);
}

// Programs touch what they hold; what was swapped comes back where there is room, and elsewhere changes
// places.
void GuestModel::TouchSwapped(Nanos span, Strain& strain) {
  if (memory_.swapped() == 0) return;
  const int64_t touched = BytesIn(memory_.swapped() / kTouchPeriodSeconds, span);
  const int64_t back = std::min(BytesIn(kSwapInSpeed, span), touched);
  const int64_t in = memory_.SwapIn(back, memory_.high_watermark());
  if (in > 0) strain.moved = true;
  strain.swapped_in += back;
}

void GuestModel::ReadHot(Nanos span, Strain& strain) {
  const int64_t whole = segment_.hot_cache_bytes;
  const int64_t missing = whole - memory_.hot();
  if (killed_ || missing <= 0 || segment_.hot_reads_bytes_per_second <= 0) return;
  int64_t speed = segment_.hot_reads_bytes_per_second;
  // Pages that were evicted are read one by one and waited for; others come in with readahead.
  if (evicted_hot_ > 0) speed = std::min(speed, ScaledBy(kRefaultSpeed, whole, missing));
  const int64_t bytes = BytesIn(speed, span);
  const int64_t wanted = Approached(missing, bytes, whole);
  int64_t added = memory_.FreeToHot(wanted, memory_.high_watermark());
  added += memory_.ColdToHot(wanted - added);
  if (added > 0) strain.moved = true;
  const int64_t read_back = std::min(added, evicted_hot_);
  evicted_hot_ -= read_back;
  strain.refaulted += read_back;
  if (added >= wanted) return;
  // Without room each page read throws out another that is needed as much.
  evicted_hot_ = missing - added;
  strain.refaulted += ScaledBy(ScaledBy(bytes, missing - added, whole), wanted - added, wanted);
}

void GuestModel::ReadCold(Nanos span, Strain& strain) {
  if (killed_ || segment_.cold_reads_bytes_per_second <= 0) return;
  const int64_t bytes = BytesIn(segment_.cold_reads_bytes_per_second, span);
  if (memory_.FreeToCold(bytes, memory_.high_watermark()) > 0) strain.moved = true;
}

}  // namespace ballast::sim
