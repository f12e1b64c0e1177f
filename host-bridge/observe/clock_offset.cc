#include "host-bridge/observe/clock_offset.h"

#include <algorithm>

namespace ballast::observe {
namespace {

constexpr Nanos kLongestRoundTrip = Seconds(10);
constexpr int64_t kMaxGuestNanos = int64_t{1} << 61;

// Crystals of servers and the guests' scaled TSC stay well within +-100 ppm each.
constexpr int64_t kDriftPpm = 200;

Nanos DriftOver(Nanos age) { return {age.count / 1'000'000 * kDriftPpm}; }

}  // namespace

std::optional<ClockOffset> OffsetAt(const ClockEstimate& estimate, MonotonicTime now) {
  if (!estimate.best) return std::nullopt;
  const Nanos age = std::max(now - estimate.at, Nanos{0});
  return ClockOffset{estimate.best->offset, estimate.best->error + DriftOver(age)};
}

ClockEstimate Improve(const ClockEstimate& estimate, const ClockProbe& probe) {
  const Nanos round_trip = probe.received - probe.sent;
  if (round_trip < Nanos{0} || round_trip > kLongestRoundTrip) return estimate;
  if (probe.guest_ns < 0 || probe.guest_ns > kMaxGuestNanos) return estimate;

  const MonotonicTime middle = probe.sent + round_trip / 2;
  // One more than the half, for the nanosecond the division drops.
  const ClockOffset fresh{Nanos{middle.ns - probe.guest_ns}, round_trip / 2 + Nanos{1}};
  const auto old = OffsetAt(estimate, probe.received);
  const bool tighter = !old || fresh.error <= old->error;
  const bool stepped = old && (fresh.offset - old->offset > fresh.error + old->error ||
                               old->offset - fresh.offset > fresh.error + old->error);
  return tighter || stepped ? ClockEstimate{fresh, probe.received} : estimate;
}

}  // namespace ballast::observe
