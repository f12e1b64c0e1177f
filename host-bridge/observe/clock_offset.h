// How a guest's clock relates to the host's, from question-and-answer round trips. Pure.
//
// The guest read its clock somewhere between question and answer, so one round trip knows the offset to half
// its duration; the shortest is the best. Two crystals drift apart, so an old round trip grows worse with
// time.
#pragma once

#include <cstdint>
#include <optional>

#include "common/base/time.h"

namespace ballast::observe {

// One round trip. The guest's reading is untrusted; a lie moves only that guest's own times.
struct ClockProbe {
  MonotonicTime sent;      // host: before the question
  int64_t guest_ns = 0;    // guest: while it answered
  MonotonicTime received;  // host: after the answer
};

struct ClockOffset {
  Nanos offset;  // host - guest
  Nanos error;   // the true offset is within +- this

  friend bool operator==(const ClockOffset&, const ClockOffset&) = default;
};

// The best round trip so far. A value: the caller keeps one a session.
struct ClockEstimate {
  std::optional<ClockOffset> best;
  MonotonicTime at;  // when `best` was measured

  friend bool operator==(const ClockEstimate&, const ClockEstimate&) = default;
};

// The estimate with one more round trip. It is taken when it is tighter than the old one has become, or when
// the two cannot both be true (the guest was paused or restored and its clock stepped). Impossible probes
// (answered before asked, longer than 10 s, guest time negative or beyond 2^61 ns) change nothing.
[[nodiscard]] ClockEstimate Improve(const ClockEstimate& estimate, const ClockProbe& probe);

// The offset as known at `now`, its error grown by 200 ppm of the age; absent before the first probe.
[[nodiscard]] std::optional<ClockOffset> OffsetAt(const ClockEstimate& estimate, MonotonicTime now);

}  // namespace ballast::observe
