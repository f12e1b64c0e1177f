// The agent of a simulated guest: the same levels, cadences and trend as the real one's sampler, over the
// model's numbers.
#pragma once

#include <cstdint>
#include <optional>

#include "common/base/time.h"
#include "host-bridge/lab/model/guest_model.h"
#include "host-bridge/policy/decide.h"

namespace ballast::sim {

class SimulatedAgent {
 public:
  // Whether a sample led to a report, and whether it rings the bridge's bell.
  enum class Word : uint8_t { kNothing, kReport, kUrgent };

  explicit SimulatedAgent(const policy::PolicyConfig& config) : config_(&config) {}

  // A new guest, a new agent: nothing is remembered.
  void Restart();
  // Looks at the guest. Time never goes back. What falls due before `next` is said now: the world steps over
  // it.
  Word Sample(const GuestModel& guest, MonotonicTime now, MonotonicTime next);
  // Of the last sample.
  [[nodiscard]] const policy::GuestReading& reading() const { return reading_; }
  [[nodiscard]] const policy::GuestThresholds& thresholds() const { return thresholds_; }
  // When it speaks next if nothing crosses a threshold before; unset while there is nothing new to say.
  [[nodiscard]] std::optional<MonotonicTime> speaks_at() const;

 private:
  enum class Level : uint8_t { kQuiet, kArmed, kPressed, kCritical };

  void SetThresholds(int64_t usable);
  void FollowTrend(int64_t available, int64_t balloon, MonotonicTime now);
  void FollowZram(const GuestModel& guest, MonotonicTime now);
  [[nodiscard]] Level Judge() const;
  void Settle(Level judged, MonotonicTime now);
  [[nodiscard]] Nanos Cadence() const;

  const policy::PolicyConfig* config_;
  policy::GuestReading reading_;
  policy::GuestThresholds thresholds_;
  int64_t thresholds_for_ = -1;
  Level level_ = Level::kQuiet;
  bool exhausts_ = false;  // the trend announces the end of memory within the horizon
  std::optional<MonotonicTime> calmer_since_;
  std::optional<MonotonicTime> trend_at_;
  int64_t trend_available_ = 0;  // with the balloon empty
  int64_t last_slope_ = 0;
  std::optional<MonotonicTime> zram_at_;
  int64_t zram_stored_ = 0;  // then
  std::optional<MonotonicTime> reported_at_;
  int64_t reported_available_ = 0;
  int64_t reported_zram_ = 0;
  int64_t reported_kills_ = 0;
  int64_t known_shrink_ = 0;
  std::optional<MonotonicTime> shrink_told_at_;
};

}  // namespace ballast::sim
