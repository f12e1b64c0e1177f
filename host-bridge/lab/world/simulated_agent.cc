#include "host-bridge/lab/world/simulated_agent.h"

#include <algorithm>
#include <cstdlib>

namespace ballast::sim {
namespace {

// The constants of guest-agent/sensors/sampler.cc; the simulator's rates count what that one would see.
constexpr Nanos kRateSpan = Milliseconds(8);
constexpr int64_t kMeaningfulRate = 4 * kMiB;
constexpr Nanos kCalmFor = Milliseconds(100);
constexpr Nanos kEventGap = Milliseconds(100);
constexpr Nanos kQuietCadence = Seconds(10);
constexpr Nanos kArmedCadence = Seconds(1);
constexpr Nanos kPressedCadence = Milliseconds(100);
// A smaller change is not worth a step of the world for its own sake.
constexpr int64_t kWorthTelling = kMiB;

// Bytes per second; span > 0. Below 2^42 bytes and above 8 ms this stays within 64 bits.
int64_t Slope(int64_t fall, Nanos span) {
  if (fall == 0) return 0;
  return fall * 1'000 / std::max<int64_t>(1, span.count / 1'000'000);
}

}  // namespace

void SimulatedAgent::Restart() { *this = SimulatedAgent(*config_); }

void SimulatedAgent::SetThresholds(int64_t usable) {
  if (usable == thresholds_for_) return;
  thresholds_for_ = usable;
  thresholds_ = policy::ThresholdsFor(usable, *config_);
}

// A fall counts only as far as two steps in a row agree; a balloon that fills is no consumption.
void SimulatedAgent::FollowTrend(int64_t available, int64_t balloon, MonotonicTime now) {
  if (trend_at_ && now - *trend_at_ < kRateSpan) return;
  const int64_t slope = trend_at_ ? Slope(trend_available_ - available - balloon, now - *trend_at_) : 0;
  const bool agree = (slope > 0) == (last_slope_ > 0);
  const int64_t rate = !agree ? 0 : std::abs(slope) < std::abs(last_slope_) ? slope : last_slope_;
  reading_.consumption_bytes_per_second = rate;
  exhausts_ = rate >= kMeaningfulRate &&
              available / rate <= config_->exhaustion_horizon.count / 1'000'000'000 &&
              available * 1'000 / rate <= config_->exhaustion_horizon.count / 1'000'000;
  trend_at_ = now;
  trend_available_ = available + balloon;
  last_slope_ = slope;
}

// When zram will be full by what it took since the last look, at least a rate's span ago.
void SimulatedAgent::FollowZram(const GuestModel& guest, MonotonicTime now) {
  if (!guest.has_zram()) return;
  const int64_t stored = guest.memory().swapped();
  reading_.zram_left_bytes = guest.zram_left();
  reading_.zram_stored_bytes = stored;
  if (zram_at_ && now - *zram_at_ < kCalmFor) return;
  reading_.zram_full_in.reset();
  const int64_t rate = zram_at_ ? Slope(stored - zram_stored_, now - *zram_at_) : 0;
  if (rate > 0) reading_.zram_full_in = Milliseconds(guest.zram_left() / kMiB * 1'000 / (rate / kMiB + 1));
  zram_at_ = now;
  zram_stored_ = stored;
}

SimulatedAgent::Level SimulatedAgent::Judge() const {
  const int64_t available = reading_.available_bytes;
  if (available < thresholds_.critical_available_bytes || available == 0 || exhausts_)
    return Level::kCritical;
  if (available < thresholds_.pressed_available_bytes) return Level::kPressed;
  if (available >= thresholds_.armed_available_bytes) return Level::kQuiet;
  return reading_.stall_permyriad >= config_->pressed_stall_permyriad ? Level::kPressed : Level::kArmed;
}

void SimulatedAgent::Settle(Level judged, MonotonicTime now) {
  if (judged >= level_) {
    level_ = judged;
    calmer_since_.reset();
  } else if (!calmer_since_) {
    calmer_since_ = now;
  } else if (now - *calmer_since_ >= kCalmFor) {
    level_ = judged;
    calmer_since_.reset();
  }
  if (level_ < Level::kPressed) {
    reading_.pressure_onset.reset();
  } else if (!reading_.pressure_onset) {
    reading_.pressure_onset = now;
  }
}

Nanos SimulatedAgent::Cadence() const {
  if (level_ >= Level::kPressed) return kPressedCadence;
  return level_ == Level::kArmed ? kArmedCadence : kQuietCadence;
}

SimulatedAgent::Word SimulatedAgent::Sample(const GuestModel& guest, MonotonicTime now, MonotonicTime next) {
  reading_.total_bytes = guest.total();
  reading_.available_bytes = guest.available();
  reading_.free_bytes = guest.memory().free();
  reading_.refault_bytes_per_second = guest.refault_bytes_per_second();
  reading_.stall_permyriad = guest.stall_permyriad();
  reading_.oom_kills = guest.counters().oom_kills;
  if (guest.can_be_plugged()) {
    // Room for the metadata: of what is free the kernel keeps half for itself.
    const int64_t movable = guest.memory().plugged();
    reading_.blocks = policy::BlockReading{guest.offline(), movable, guest.memory().free() / 2 * 64};
  }
  SetThresholds(guest.usable());
  FollowTrend(reading_.available_bytes, guest.memory().balloon(), now);
  FollowZram(guest, now);
  const Level before = level_;
  Settle(Judge(), now);
  const int64_t shrink = guest.counters().oom_deflated_bytes;
  const bool may_tell = !shrink_told_at_ || now - *shrink_told_at_ >= kEventGap;
  const bool shrank = shrink > known_shrink_ && may_tell;
  if (shrank) {
    known_shrink_ = shrink;
    shrink_told_at_ = now;
  }
  const bool event = shrank || reading_.oom_kills > reported_kills_;
  const Nanos longest = std::max(Cadence(), kQuietCadence);
  const bool due = !reported_at_ || now - *reported_at_ >= Cadence() || next - *reported_at_ > longest;
  if (!event && !due && level_ <= before) return Word::kNothing;
  reported_at_ = now;
  reported_available_ = reading_.available_bytes;
  reported_zram_ = reading_.zram_stored_bytes;
  reported_kills_ = reading_.oom_kills;
  return event || level_ >= Level::kPressed ? Word::kUrgent : Word::kReport;
}

std::optional<MonotonicTime> SimulatedAgent::speaks_at() const {
  if (!reported_at_ || calmer_since_) return trend_at_ ? *trend_at_ + kCalmFor : MonotonicTime{};
  const bool news = std::abs(reading_.available_bytes - reported_available_) >= kWorthTelling ||
                    std::abs(reading_.zram_stored_bytes - reported_zram_) >= kWorthTelling;
  if (!news) return std::nullopt;
  return *reported_at_ + Cadence();
}

}  // namespace ballast::sim
