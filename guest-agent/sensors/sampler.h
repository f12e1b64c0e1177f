// Judges a stream of samples: how pressed the guest is, how fast its memory goes, what is worth telling, and
// when to look again. Pure: time comes with the samples, the recent past is a member, nothing is read.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "common/base/time.h"
#include "common/base/units.h"

namespace ballast::agent {

inline constexpr int64_t kNoUpperBound = int64_t{1} << 62;

// Larger means more urgent.
enum class Level : uint8_t { kQuiet = 1, kArmed = 2, kPressed = 3, kCritical = 4 };

// A share of the guest's usable memory within bounds: so it stays right when the guest changes its size.
struct Limit {
  int32_t permyriad = 0;  // 0..10000
  int64_t min_bytes = 0;
  int64_t max_bytes = 0;  // >= min_bytes

  friend bool operator==(const Limit&, const Limit&) = default;
};

// MemAvailable below which each level begins. Where a limit comes out above that of a milder level, the
// milder level begins there too.
struct Thresholds {
  Limit armed{5'000, 0, kNoUpperBound};
  Limit pressed{2'000, 64 * kMiB, kGiB};
  Limit critical{1'000, 32 * kMiB, 256 * kMiB};
  Nanos exhaustion_horizon = Milliseconds(500);  // critical also when memory is gone within this time
  int32_t stall_permyriad = 1'000;               // pressed also when stalled this much while below armed

  friend bool operator==(const Thresholds&, const Thresholds&) = default;
};

// The longest time between two reports at each level.
struct Cadence {
  Nanos quiet = Seconds(10);
  Nanos armed = Seconds(1);
  Nanos pressed = Milliseconds(100);

  friend bool operator==(const Cadence&, const Cadence&) = default;
};

struct SamplerConfig {
  Thresholds thresholds;
  Cadence cadence;
  // What a burst may take before it was ever seen: how far apart samples may be is reckoned with this.
  int64_t assumed_burst_bytes_per_second = kGiB;
  int64_t page_size_bytes = 4 * kKiB;

  friend bool operator==(const SamplerConfig&, const SamplerConfig&) = default;
};

// One look at the guest. Absent: the kernel does not offer it, or this read failed.
struct Sample {
  MonotonicTime at;
  int64_t total_bytes = 0;
  // The balloon deflates on OOM, so that MemTotal keeps its size while it is inflated: usable memory is then
  // MemTotal less the balloon.
  bool total_includes_balloon = false;
  std::optional<int64_t> available_bytes;  // 0..total, else it counts as absent
  std::optional<int64_t> stall_total_us;   // PSI memory "some"
  std::optional<int64_t> oom_kills;
  std::optional<int64_t> balloon_inflate_pages;
  std::optional<int64_t> balloon_deflate_pages;
  bool trigger_fired = false;
  bool watch_fired = false;  // the watch that looked meanwhile, see Rest
  // The last that it saw before something happened, since the sample before this one.
  struct Glimpse {
    MonotonicTime at;
    int64_t change_bytes = 0;  // of what is available, since the sample before

    friend bool operator==(const Glimpse&, const Glimpse&) = default;
  };
  std::optional<Glimpse> glimpse;

  friend bool operator==(const Sample&, const Sample&) = default;
};

struct Derived {
  Level level = Level::kQuiet;
  int64_t consumption_bytes_per_second = 0;     // fall of MemAvailable, the balloon's own part left out
  std::optional<Nanos> time_to_exhaustion;      // absent while it does not fall
  std::optional<int64_t> balloon_bytes;         // absent without the counters
  std::optional<MonotonicTime> pressure_onset;  // first sample of the present spell at kPressed or worse
  int32_t recent_stall_permyriad = 0;           // over the last 100 ms, or since the last sample if longer

  friend bool operator==(const Derived&, const Derived&) = default;
};

// Nothing happens: no sample is needed until `until` if a watch looks every `look_every` meanwhile, and the
// next sample is taken at once when what is available fell or rose by more, or tasks reclaimed for longer.
struct Rest {
  Nanos look_every;
  Nanos until;
  int64_t fall_bytes = 0;
  int64_t rise_bytes = 0;
  int64_t stall_us = 0;

  friend bool operator==(const Rest&, const Rest&) = default;
};
// What serves two; nothing when one of them must not rest.
[[nodiscard]] std::optional<Rest> Closer(const std::optional<Rest>& one, const std::optional<Rest>& other);

// What one sample led to.
struct Step {
  Derived derived;
  bool report_now = false;
  Nanos next_sample_in;  // take the next sample after this time, or at once when the kernel's trigger fires
  std::optional<Rest> rest;  // instead of that, where there is a watch
  // Events, each at most once a sample.
  int64_t oom_kills = 0;             // kills since the last such event; 0: none
  int64_t balloon_shrank_bytes = 0;  // 0: it did not
  bool trigger_fired = false;

  friend bool operator==(const Step&, const Step&) = default;
};

// The thresholds of a guest of this size, in bytes; armed >= pressed >= critical.
struct LevelBytes {
  int64_t armed = 0;
  int64_t pressed = 0;
  int64_t critical = 0;

  friend bool operator==(const LevelBytes&, const LevelBytes&) = default;
};
[[nodiscard]] LevelBytes ToBytes(const Thresholds& thresholds, int64_t usable_bytes);

// A value: copy it and both copies go on independently.
class SamplePlan {
 public:
  explicit SamplePlan(const SamplerConfig& config) : config_(config) {}

  // Samples come in the order of time; one that does not is judged but not remembered. The first one always
  // asks for a report.
  [[nodiscard]] Step Next(const Sample& sample);

 private:
  struct Point {
    MonotonicTime at;
    int64_t available_bytes = 0;
    // What would be available with the balloon empty: a balloon that fills is no consumption, and one that
    // empties must not hide any.
    int64_t without_balloon_bytes = 0;
    // Of what the balloon has just given, as much as may not be counted as available yet.
    int64_t late_bytes = 0;
  };
  struct StallPoint {
    MonotonicTime at;
    int64_t total_us = 0;
  };

  // The last values, oldest first by index. 64 samples at 2 ms are 128 ms, more than any window here.
  template <typename T>
  struct Ring {
    static constexpr size_t kCapacity = 64;
    std::array<T, kCapacity> items{};
    size_t count = 0;  // ever added
    [[nodiscard]] size_t Size() const { return count < kCapacity ? count : kCapacity; }
    // 0 is the newest.
    [[nodiscard]] const T& Back(size_t age) const { return items[(count - 1 - age) % kCapacity]; }
    void Add(const T& item) { items[count++ % kCapacity] = item; }
  };

  struct Trend {
    int64_t bytes_per_second = 0;
    bool announces_exhaustion = false;  // fast and large enough to be more than noise
  };
  [[nodiscard]] static int64_t Fall(const Point& from, const Point& to);
  [[nodiscard]] static int64_t FallRate(const Point& from, const Point& to);
  [[nodiscard]] int64_t LateBytes(MonotonicTime at, int64_t balloon_bytes);
  [[nodiscard]] size_t TrendSamples() const;
  [[nodiscard]] Trend TrendOf() const;
  [[nodiscard]] int64_t LastRate() const;
  [[nodiscard]] int32_t RecentStall(const Sample& sample) const;
  void SetLimits(const Sample& sample, const Derived& derived);
  [[nodiscard]] Level Judge(int64_t available_bytes, const Derived& derived) const;
  void Settle(Level judged, MonotonicTime at);
  void NoteEvents(const Sample& sample, Step& step);
  void AddPoint(const Sample& sample, const Derived& derived);
  void AddGlimpse(const Sample& sample);
  [[nodiscard]] bool IsSudden(const Derived& derived) const;
  [[nodiscard]] Nanos NextInterval(const Derived& derived) const;
  [[nodiscard]] bool IsStill(const Sample& sample, const Derived& derived) const;
  [[nodiscard]] std::optional<Rest> RestAfter(const Sample& sample, const Derived& derived) const;
  [[nodiscard]] Nanos CadenceOf(Level level) const;

  SamplerConfig config_;
  Ring<Point> points_;
  Ring<StallPoint> stalls_;
  LevelBytes limits_;  // of the last sample
  Level level_ = Level::kQuiet;
  // While the samples say less than level_: since when, and the worst they said meanwhile.
  std::optional<MonotonicTime> calmer_since_;
  Level calmer_peak_ = Level::kQuiet;
  std::optional<MonotonicTime> pressure_onset_;
  std::optional<MonotonicTime> last_report_;
  std::optional<MonotonicTime> stirred_at_;  // when the watch or the trigger fired last
  std::optional<int64_t> known_oom_kills_;
  int64_t last_balloon_bytes_ = 0;
  std::optional<MonotonicTime> last_gave_at_;  // when the balloon was last seen to have shrunk
  int64_t gave_bytes_ = 0;                     // and by how much since it began to
  std::optional<int64_t> known_deflate_pages_;
  std::optional<MonotonicTime> last_shrink_event_;
};

}  // namespace ballast::agent
