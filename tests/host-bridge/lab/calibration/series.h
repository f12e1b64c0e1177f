// What a story came to, read off samples: the same questions are asked of the real guest and of the model.
#pragma once

#include <vector>

#include "tests/host-bridge/lab/calibration/recording.h"

namespace ballast::calibration {

// Sizes are in MiB, times in seconds: these numbers are for people.
class Series {
 public:
  // Both must outlive it and are as in a Recording.
  Series(const std::vector<Step>& steps, const std::vector<Sample>& samples)
      : steps_(steps), samples_(samples) {}

  // The last sample before a step; with its number beyond the last one, the last sample of all.
  [[nodiscard]] const Sample& Before(size_t step) const;
  // The last sample before the first OOM kill; the last of all when there was none.
  [[nodiscard]] const Sample& BeforeKill() const;
  // The first sample after `step` when MemAvailable is below 1 MiB; the last of all when it never is.
  [[nodiscard]] const Sample& Exhausted(size_t step) const;

  // Until the balloon is within 1 MiB of what the step asked for; until the next step when it never is.
  [[nodiscard]] double SecondsToTarget(size_t step) const;
  [[nodiscard]] double SecondsFrom(size_t step, const Sample& sample) const;
  // Counters between two samples.
  [[nodiscard]] static double StalledSeconds(const Sample& from, const Sample& to);
  [[nodiscard]] static double RefaultedMib(const Sample& from, const Sample& to);
  // The first sample at least `seconds` before `sample`.
  [[nodiscard]] const Sample& Earlier(const Sample& sample, double seconds) const;

 private:
  const std::vector<Step>& steps_;
  const std::vector<Sample>& samples_;
};

[[nodiscard]] inline double Mib(int64_t kib) { return static_cast<double>(kib) / 1024; }

}  // namespace ballast::calibration
