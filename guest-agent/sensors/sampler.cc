#include "guest-agent/sensors/sampler.h"

#include <algorithm>

namespace ballast::agent {
namespace {

__extension__ using Wide = __int128;

constexpr int64_t kMaxRate = int64_t{1} << 50;  // 1 PiB/s: beyond any memory, safe to multiply by 4

// Shorter spans measure the kernel's per-CPU batching rather than the guest's programs.
constexpr Nanos kRateSpan = Milliseconds(8);
// With four samples one outlier is in the minority of the pairs; more than this only adds delay.
constexpr size_t kRateSamples = 4;
constexpr size_t kMaxRateSamples = 12;
// A fall slower or smaller than this is noise and announces no exhaustion.
constexpr int64_t kMeaningfulRate = 4 * kMiB;
constexpr int64_t kMeaningfulFall = 512 * kKiB;

constexpr Nanos kStallWindow = Milliseconds(100);
// A level falls only after the samples said so for this long: around a threshold it would otherwise rise, and
// be reported, hundreds of times a second.
constexpr Nanos kCalmFor = Milliseconds(100);
// A large deflation arrives in many small steps; one event for each of these spans is enough.
constexpr Nanos kShrinkEventGap = Milliseconds(100);

// The balloon's counter runs ahead: of what it gives, the first 18 to 22 MiB (measured, kernels 6.1 and 6.12)
// rest in lists of the processors for a moment, neither its own nor available.
constexpr int64_t kMostLate = 32 * kMiB;
constexpr Nanos kLateFor = Milliseconds(100);

constexpr Nanos kMinInterval = Milliseconds(2);
constexpr Nanos kPressedInterval = Milliseconds(5);
// A fall that the trend does not show yet is looked at again soon: the start of a burst, or nothing.
constexpr Nanos kConfirmIn = Milliseconds(10);
constexpr Nanos kMaxInterval = Seconds(10);

// While a watch looks, this is how long nobody else does. What is read of files besides is the older for it.
constexpr Nanos kQuietRest = Seconds(5);
constexpr Nanos kArmedRest = Seconds(1);
// Programs come and go within this much.
constexpr int64_t kSmallChange = 4 * kMiB;
// Two samples in a row that differ little from the one before are rest.
constexpr size_t kStillPoints = 3;

int64_t ToBytes(const Limit& limit, int64_t usable_bytes) {
  const Wide share = Wide{std::max<int64_t>(usable_bytes, 0)} * limit.permyriad / 10'000;
  return std::max(limit.min_bytes, std::min(limit.max_bytes, static_cast<int64_t>(share)));
}

int64_t Magnitude(int64_t rate) { return rate < 0 ? -rate : rate; }

}  // namespace

LevelBytes ToBytes(const Thresholds& thresholds, int64_t usable_bytes) {
  LevelBytes bytes;
  bytes.critical = ToBytes(thresholds.critical, usable_bytes);
  bytes.pressed = std::max(ToBytes(thresholds.pressed, usable_bytes), bytes.critical);
  bytes.armed = std::max(ToBytes(thresholds.armed, usable_bytes), bytes.pressed);
  return bytes;
}

std::optional<Rest> Closer(const std::optional<Rest>& one, const std::optional<Rest>& other) {
  if (!one || !other) return std::nullopt;
  return Rest{.look_every = std::min(one->look_every, other->look_every),
              .until = std::min(one->until, other->until),
              .fall_bytes = std::min(one->fall_bytes, other->fall_bytes),
              .rise_bytes = std::min(one->rise_bytes, other->rise_bytes),
              .stall_us = std::min(one->stall_us, other->stall_us)};
}

Step SamplePlan::Next(const Sample& sample) {
  const bool usable =
      sample.available_bytes && *sample.available_bytes >= 0 && *sample.available_bytes <= sample.total_bytes;
  Step step;
  Derived& derived = step.derived;
  derived.recent_stall_permyriad = RecentStall(sample);
  if (sample.stall_total_us && (stalls_.count == 0 || stalls_.Back(0).at < sample.at)) {
    stalls_.Add({sample.at, *sample.stall_total_us});
  }
  if (sample.watch_fired || sample.trigger_fired) stirred_at_ = sample.at;
  const Level before = level_;
  if (sample.balloon_inflate_pages && sample.balloon_deflate_pages) {
    const int64_t pages = *sample.balloon_inflate_pages - *sample.balloon_deflate_pages;
    derived.balloon_bytes =
        static_cast<int64_t>(std::clamp<Wide>(Wide{pages} * config_.page_size_bytes, 0, kNoUpperBound));
  }
  if (usable) {
    SetLimits(sample, derived);
    if (points_.count == 0 || points_.Back(0).at < sample.at) AddPoint(sample, derived);
    const Trend trend = TrendOf();
    derived.consumption_bytes_per_second = trend.bytes_per_second;
    if (trend.announces_exhaustion) {
      const Wide left = Wide{*sample.available_bytes} * kNanosPerSecond / trend.bytes_per_second;
      derived.time_to_exhaustion = Nanos{static_cast<int64_t>(std::min<Wide>(left, INT64_MAX))};
    }
    Settle(Judge(*sample.available_bytes, derived), sample.at);
  }
  derived.level = level_;
  derived.pressure_onset = pressure_onset_;
  NoteEvents(sample, step);
  const bool event = step.oom_kills > 0 || step.balloon_shrank_bytes > 0 || step.trigger_fired;
  const bool due = !last_report_ || sample.at - *last_report_ >= CadenceOf(level_);
  step.report_now = event || due || level_ > before;
  if (step.report_now) last_report_ = sample.at;
  step.next_sample_in = std::min(NextInterval(derived), *last_report_ + CadenceOf(level_) - sample.at);
  step.next_sample_in = std::clamp(step.next_sample_in, kMinInterval, kMaxInterval);
  if (usable) step.rest = RestAfter(sample, derived);
  return step;
}

void SamplePlan::AddPoint(const Sample& sample, const Derived& derived) {
  AddGlimpse(sample);
  const int64_t balloon = derived.balloon_bytes.value_or(last_balloon_bytes_);
  const int64_t late = LateBytes(sample.at, balloon);
  last_balloon_bytes_ = balloon;
  const Wide without_balloon = Wide{*sample.available_bytes} + last_balloon_bytes_;
  points_.Add({sample.at, *sample.available_bytes,
               static_cast<int64_t>(std::min<Wide>(without_balloon, kNoUpperBound)), late});
}

// After a rest the sample before is seconds old, and a burst's rate since then would be next to none. What
// the watch saw last makes it the rate that closer samples would have found. The balloon moved by less than
// the watch lets pass.
void SamplePlan::AddGlimpse(const Sample& sample) {
  if (!sample.glimpse || points_.count == 0) return;
  Point point = points_.Back(0);
  const Sample::Glimpse& glimpse = *sample.glimpse;
  if (glimpse.at <= point.at || sample.at - glimpse.at < kRateSpan) return;
  point.at = glimpse.at;
  const Wide available = Wide{point.available_bytes} + glimpse.change_bytes;
  const Wide without_balloon = Wide{point.without_balloon_bytes} + glimpse.change_bytes;
  point.available_bytes = static_cast<int64_t>(std::clamp<Wide>(available, 0, kNoUpperBound));
  point.without_balloon_bytes = static_cast<int64_t>(std::clamp<Wide>(without_balloon, 0, kNoUpperBound));
  points_.Add(point);
}

int64_t SamplePlan::LateBytes(MonotonicTime at, int64_t balloon_bytes) {
  if (last_gave_at_ && at - *last_gave_at_ > kLateFor) gave_bytes_ = 0;
  // Before the first point the last balloon is none.
  if (points_.count > 0 && balloon_bytes < last_balloon_bytes_) {
    last_gave_at_ = at;
    gave_bytes_ = std::min(gave_bytes_ + (last_balloon_bytes_ - balloon_bytes), kMostLate);
  }
  return gave_bytes_;
}

// By how much memory fell between two points, the balloon's own part left out; what came late before is back
// by now, and no fall is made of that.
int64_t SamplePlan::Fall(const Point& from, const Point& to) {
  const int64_t fall = from.without_balloon_bytes - to.without_balloon_bytes;
  const int64_t late = std::max<int64_t>(to.late_bytes - from.late_bytes, 0);
  return fall > 0 ? std::max<int64_t>(fall - late, 0) : fall;
}

// The same in bytes per second; 0 when no time passed.
int64_t SamplePlan::FallRate(const Point& from, const Point& to) {
  const int64_t span = (to.at - from.at).count;
  if (span <= 0) return 0;
  const Wide rate = Wide{Fall(from, to)} * kNanosPerSecond / span;
  return static_cast<int64_t>(std::clamp<Wide>(rate, -kMaxRate, kMaxRate));
}

// How many of the last samples a trend is taken from: three when they are far enough apart to be trusted one
// by one, else as many as span kRateSpan.
size_t SamplePlan::TrendSamples() const {
  if (points_.Size() >= 3 && points_.Back(0).at - points_.Back(1).at >= kRateSpan &&
      points_.Back(1).at - points_.Back(2).at >= kRateSpan) {
    return 3;
  }
  size_t used = 1;
  while (used < points_.Size() && used < kMaxRateSamples &&
         (used < kRateSamples || points_.Back(0).at - points_.Back(used - 1).at < kRateSpan)) {
    ++used;
  }
  return used;
}

// The middle slope of all pairs among the last samples: with four or more, one wrong sample cannot move it.
// Of three, a fall counts only as far as both steps agree.
SamplePlan::Trend SamplePlan::TrendOf() const {
  const size_t used = TrendSamples();
  const Point& newest = points_.Back(0);
  if (used < 3 || newest.at - points_.Back(used - 1).at < kRateSpan) return {};
  std::array<int64_t, kMaxRateSamples*(kMaxRateSamples - 1) / 2> slopes{};
  size_t count = 0;
  for (size_t later = 0; later < used; ++later) {
    for (size_t earlier = later + 1; earlier < used; ++earlier) {
      if (used == 3 && earlier != later + 1) continue;
      const Point& from = points_.Back(earlier);
      const Point& to = points_.Back(later);
      slopes[count++] = FallRate(from, to);
    }
  }
  if (used == 3 && (slopes[0] > 0) != (slopes[1] > 0)) return {};
  const auto middle = slopes.begin() + static_cast<ptrdiff_t>((count - 1) / 2);
  std::nth_element(slopes.begin(), middle, slopes.begin() + static_cast<ptrdiff_t>(count),
                   [](int64_t a, int64_t b) { return Magnitude(a) < Magnitude(b); });
  const int64_t fall = Fall(points_.Back(used - 1), newest);
  return {*middle, *middle >= kMeaningfulRate && fall >= kMeaningfulFall};
}

// Between the last two samples: jumpy, but the first to know. Only decides how soon to look again.
int64_t SamplePlan::LastRate() const {
  if (points_.Size() < 2) return 0;
  const Point& from = points_.Back(1);
  const Point& to = points_.Back(0);
  return FallRate(from, to);
}

int32_t SamplePlan::RecentStall(const Sample& sample) const {
  if (!sample.stall_total_us || stalls_.Size() == 0) return 0;
  size_t age = 0;
  while (age + 1 < stalls_.Size() && sample.at - stalls_.Back(age).at < kStallWindow) ++age;
  const StallPoint& from = stalls_.Back(age);
  const Nanos span = std::max(sample.at - from.at, kStallWindow);
  const int64_t stalled_us = *sample.stall_total_us - from.total_us;
  if (stalled_us <= 0) return 0;
  const Wide share = Wide{stalled_us} * 1'000 * 10'000 / span.count;
  return static_cast<int32_t>(std::min<Wide>(share, 10'000));
}

void SamplePlan::SetLimits(const Sample& sample, const Derived& derived) {
  const int64_t balloon =
      sample.total_includes_balloon ? derived.balloon_bytes.value_or(last_balloon_bytes_) : 0;
  limits_ = ToBytes(config_.thresholds, sample.total_bytes - balloon);
}

Level SamplePlan::Judge(int64_t available_bytes, const Derived& derived) const {
  const Thresholds& thresholds = config_.thresholds;
  const bool gone_soon =
      derived.time_to_exhaustion && *derived.time_to_exhaustion <= thresholds.exhaustion_horizon;
  if (available_bytes < limits_.critical || available_bytes == 0 || gone_soon) {
    return Level::kCritical;
  }
  if (available_bytes < limits_.pressed) return Level::kPressed;
  if (available_bytes >= limits_.armed) return Level::kQuiet;
  // The system's stalls include those a cgroup's own limit causes; they matter only while memory is short.
  return derived.recent_stall_permyriad >= thresholds.stall_permyriad ? Level::kPressed : Level::kArmed;
}

void SamplePlan::Settle(Level judged, MonotonicTime at) {
  if (judged >= level_) {
    level_ = judged;
    calmer_since_.reset();
  } else if (!calmer_since_) {
    calmer_since_ = at;
    calmer_peak_ = judged;
  } else {
    calmer_peak_ = std::max(calmer_peak_, judged);
    if (at - *calmer_since_ >= kCalmFor) {
      level_ = calmer_peak_;
      calmer_since_.reset();
    }
  }
  if (level_ < Level::kPressed) {
    pressure_onset_.reset();
  } else if (!pressure_onset_) {
    pressure_onset_ = at;
  }
}

void SamplePlan::NoteEvents(const Sample& sample, Step& step) {
  step.trigger_fired = sample.trigger_fired;
  if (sample.oom_kills) {
    if (known_oom_kills_) step.oom_kills = std::max<int64_t>(*sample.oom_kills - *known_oom_kills_, 0);
    known_oom_kills_ = sample.oom_kills;
  }
  if (!sample.balloon_deflate_pages) return;
  const int64_t known = known_deflate_pages_.value_or(*sample.balloon_deflate_pages);
  const bool too_soon = last_shrink_event_ && sample.at - *last_shrink_event_ < kShrinkEventGap;
  if (*sample.balloon_deflate_pages > known && too_soon) return;  // counted with the next event
  known_deflate_pages_ = sample.balloon_deflate_pages;
  if (*sample.balloon_deflate_pages <= known) return;
  const Wide shrank = Wide{*sample.balloon_deflate_pages - known} * config_.page_size_bytes;
  step.balloon_shrank_bytes = static_cast<int64_t>(std::min<Wide>(shrank, kNoUpperBound));
  last_shrink_event_ = sample.at;
}

// A fall that the trend does not show yet.
bool SamplePlan::IsSudden(const Derived& derived) const {
  const int64_t last = LastRate();
  return last >= kMeaningfulRate && last / 2 > derived.consumption_bytes_per_second;
}

// A quarter of the time in which the fastest plausible allocator could eat what is left above the critical
// threshold: it is then seen at least three times before it gets there.
Nanos SamplePlan::NextInterval(const Derived& derived) const {
  if (points_.Size() == 0) return CadenceOf(level_);
  const int64_t seen = 2 * std::max(derived.consumption_bytes_per_second, LastRate());
  const int64_t fastest = std::max({seen, config_.assumed_burst_bytes_per_second, int64_t{1}});
  const int64_t headroom = std::max<int64_t>(points_.Back(0).available_bytes - limits_.critical, 0);
  const Wide quarter = Wide{headroom} * kNanosPerSecond / fastest / 4;
  const Nanos longest = level_ >= Level::kPressed ? kPressedInterval
                        : IsSudden(derived)       ? kConfirmIn
                                                  : kMaxInterval;
  const Nanos wanted{static_cast<int64_t>(std::min<Wide>(quarter, longest.count))};
  return std::clamp(wanted, kMinInterval, longest);
}

// Nothing moves that a sample soon would say more about.
bool SamplePlan::IsStill(const Sample& sample, const Derived& derived) const {
  if (level_ >= Level::kPressed || calmer_since_ || derived.time_to_exhaustion) return false;
  if (stirred_at_ && sample.at - *stirred_at_ < kCalmFor) return false;
  if (points_.Size() < kStillPoints) return false;
  // The watch's last look may be so short ago that a few pages make a rate.
  if (IsSudden(derived) && Fall(points_.Back(1), points_.Back(0)) >= kMeaningfulFall) return false;
  for (size_t age = 0; age + 1 < kStillPoints; ++age) {
    const int64_t change = points_.Back(age).available_bytes - points_.Back(age + 1).available_bytes;
    if (Magnitude(change) >= kSmallChange) return false;
  }
  return true;
}

// The watch looks as often as samples would be taken, and each fall that they would have noticed ends the
// rest, as does the first byte into the next level.
std::optional<Rest> SamplePlan::RestAfter(const Sample& sample, const Derived& derived) const {
  if (!IsStill(sample, derived)) return std::nullopt;
  const Nanos report_in = *last_report_ + CadenceOf(level_) - sample.at;
  const Nanos until = std::min(level_ == Level::kQuiet ? kQuietRest : kArmedRest, report_in);
  const Nanos look_every = NextInterval(derived);
  if (until <= look_every) return std::nullopt;
  const int64_t next_level = level_ == Level::kQuiet ? limits_.armed : limits_.pressed;
  const int64_t stall_us = kStallWindow.count / 1'000 * config_.thresholds.stall_permyriad / 10'000;
  return Rest{.look_every = look_every,
              .until = until,
              .fall_bytes = std::clamp<int64_t>(*sample.available_bytes - next_level, 0, kSmallChange),
              .rise_bytes = kSmallChange,
              .stall_us = stall_us};
}

Nanos SamplePlan::CadenceOf(Level level) const {
  switch (level) {
    case Level::kQuiet:
      return config_.cadence.quiet;
    case Level::kArmed:
      return config_.cadence.armed;
    case Level::kPressed:
    case Level::kCritical:
      return config_.cadence.pressed;
  }
  return config_.cadence.quiet;
}

}  // namespace ballast::agent
