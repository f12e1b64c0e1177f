#include "host-bridge/lab/rivals/least_size.h"

#include <algorithm>
#include <utility>

#include "host-bridge/lab/rivals/sizes.h"

namespace ballast::sim {
namespace {

// A rise "at once" is as fast as memory can be touched.
constexpr int64_t kAtOnce = 4 * kGiB;
// Available as a share of usable memory.
constexpr int64_t kAvailable = 25;
constexpr int64_t kWhole = 1'000;

}  // namespace

int64_t LeastSize(const GuestMemory& guest, const Need& need) {
  const int64_t held = guest.kernel() + need.anon_bytes + need.hot_bytes;
  const int64_t low = guest.low_watermark();
  const int64_t apart = guest.high_watermark() - low;
  // Available = free - high + cache - min(cache / 2, low), and at worst all but the low watermark of what
  // nobody holds is cache. Then it takes 2 x (A + apart) of cache to have A available, or A + apart + low if
  // that is less. A is a share of the rest and of that cache.
  const int64_t rest = held - need.hot_bytes + low;
  const int64_t little = MulDiv(rest + 2 * apart, kAvailable, kWhole - 2 * kAvailable) + apart;
  const int64_t much = MulDiv(rest + apart + low, kAvailable, kWhole - kAvailable) + apart;
  const int64_t cache = little < low ? 2 * little : much + low;
  const int64_t spare = std::max(low + apart, low + cache - need.hot_bytes);
  return std::min(guest.boot(), guest.reserve() + held + spare);
}

Foresight::Foresight(int64_t boot_bytes, std::unique_ptr<Workload> workload)
    : guest_(boot_bytes), idle_size_(LeastSize(guest_, {})), workload_(std::move(workload)) {}

int64_t Foresight::AnonAt(const Piece& piece, Nanos time) {
  const int64_t goal = piece.segment.anon_bytes;
  if (goal <= piece.anon_at_begin) return goal;
  const int64_t speed =
      piece.segment.anon_bytes_per_second > 0 ? piece.segment.anon_bytes_per_second : kAtOnce;
  return std::min(goal, piece.anon_at_begin + MulDiv(speed, (time - piece.begin).count, Seconds(1).count));
}

int64_t Foresight::SizeAt(const Piece& piece, Nanos time) const {
  const int64_t hot = piece.segment.hot_reads_bytes_per_second > 0 ? piece.segment.hot_cache_bytes : 0;
  return LeastSize(guest_, {AnonAt(piece, time), hot});
}

void Foresight::ReadUntil(Nanos time) {
  Nanos end = pieces_.empty() ? Nanos{} : pieces_.back().end;
  int64_t anon = pieces_.empty() ? 0 : AnonAt(pieces_.back(), end);
  while (end <= time) {
    const Segment segment = workload_->Next();
    Piece piece{segment, end, end + std::max(segment.length, Nanos{1}), anon};
    end = piece.end;
    anon = AnonAt(piece, end);
    piece.least_size_at_end = SizeAt(piece, end);
    pieces_.push_back(piece);
  }
}

int64_t Foresight::Peak(Nanos from, Nanos to) {
  int64_t peak = idle_size_;
  if (to < Nanos{}) return peak;
  ReadUntil(to);
  while (pieces_.size() > 1 && pieces_.front().end < from) pieces_.pop_front();
  for (const Piece& piece : pieces_) {
    if (piece.begin > to) break;
    // Within a piece memory only rises, or falls at its beginning.
    peak = std::max(peak, piece.end <= to ? piece.least_size_at_end : SizeAt(piece, to));
  }
  return peak;
}

}  // namespace ballast::sim
