// The least size at which a guest's kernel serves its programs without making them wait. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>

#include "host-bridge/lab/model/guest_memory.h"
#include "host-bridge/lab/model/workload.h"

namespace ballast::sim {

struct Need {
  int64_t anon_bytes = 0;
  int64_t hot_bytes = 0;  // file pages in steady use
};

// `guest` says what its kernel keeps for itself and its watermarks; its contents do not matter. Beside what
// programs hold there must be free memory up to the high watermark, below which no page is cached without
// eviction, and 2.5 % of usable memory must count as available (2 % counts as starved), cache that nobody
// misses taken into account. At most the boot memory.
[[nodiscard]] int64_t LeastSize(const GuestMemory& guest, const Need& need);

// The peak of LeastSize over any stretch of a workload's own time. Asked with stretches whose beginnings do
// not go back.
class Foresight {
 public:
  Foresight(int64_t boot_bytes, std::unique_ptr<Workload> workload);

  // Over from..to, times since the workload's start; before it the need is that of an idle kernel.
  [[nodiscard]] int64_t Peak(Nanos from, Nanos to);

 private:
  struct Piece {
    Segment segment;
    Nanos begin;
    Nanos end;
    int64_t anon_at_begin = 0;
    int64_t least_size_at_end = 0;
  };

  [[nodiscard]] static int64_t AnonAt(const Piece& piece, Nanos time);
  // Least size at `time` within the piece.
  [[nodiscard]] int64_t SizeAt(const Piece& piece, Nanos time) const;
  void ReadUntil(Nanos time);

  GuestMemory guest_;
  int64_t idle_size_ = 0;
  std::unique_ptr<Workload> workload_;
  std::deque<Piece> pieces_;
};

}  // namespace ballast::sim
