#include "host-bridge/lab/model/host_model.h"

#include <algorithm>

#include "host-bridge/lab/model/flow.h"

namespace ballast::sim {
namespace {

// Below this part of its memory a kernel reclaims in the tasks' own time (a 64 GiB host has 90 MiB of
// watermarks and starts kswapd there; the last two per cent of MemAvailable are text and hot cache).
constexpr int64_t kTightPart = 50;
// With the last cache gone a third of the time passes in waiting for it, before anything is swapped.
constexpr int64_t kTightSome = 3'000;
// A host that swaps a sixteenth of its memory does nothing but wait.
constexpr int64_t kLostPart = 16;
// avg10 = exp(-2 s / 10 s) of the last, each 2 s: kernel/sched/psi.c, EXP_10s of 2048.
constexpr Nanos kAveragePeriod = Seconds(2);
constexpr int64_t kKeep = 1'677;
constexpr int64_t kWhole = 2'048;
// After so many periods the average is what it averages.
constexpr int64_t kForgotten = 64;

}  // namespace

int64_t HostModel::available() const { return std::clamp<int64_t>(total() - demand_, 0, total()); }

void HostModel::SetDemand(int64_t bytes) {
  // All that follows is a function of it, and of a host without demand it is what the members begin with.
  if (bytes == demand_) return;
  demand_ = bytes;
  const int64_t excess = std::max<int64_t>(0, demand_ - spec_.total_bytes);
  swap_used_ = std::min(excess, spec_.swap_bytes);
  const int64_t tight = spec_.total_bytes / kTightPart;
  const int64_t lacking = std::max<int64_t>(0, tight - available());
  const int64_t lost = std::max<int64_t>(1, spec_.total_bytes / kLostPart);
  const int64_t swapping = std::min(kWholeShare, excess * kWholeShare / lost);
  some_ = std::min(kWholeShare, kTightSome * lacking / std::max<int64_t>(1, tight) + swapping);
  // All tasks wait at once when the swap is what everybody waits for.
  full_ = swapping / 2;
}

void HostModel::Advance(Nanos span) {
  since_average_ = since_average_ + span;
  int64_t periods = since_average_.count / kAveragePeriod.count;
  if (periods == 0) return;
  since_average_ = since_average_ - kAveragePeriod * periods;
  if (periods >= kForgotten) avg10_ = some_;
  for (; periods > 0 && avg10_ != some_; --periods) {
    const int64_t next = (avg10_ * kKeep + some_ * (kWhole - kKeep)) / kWhole;
    avg10_ = next == avg10_ ? some_ : next;
  }
}

}  // namespace ballast::sim
