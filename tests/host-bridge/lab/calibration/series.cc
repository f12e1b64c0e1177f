#include "tests/host-bridge/lab/calibration/series.h"

#include <cstdlib>

namespace ballast::calibration {
namespace {

constexpr int64_t kNearKib = 1024;
constexpr int64_t kPageKib = 4;

}  // namespace

const Sample& Series::Before(size_t step) const {
  if (step >= steps_.size()) return samples_.back();
  const Sample* last = &samples_.front();
  for (const Sample& sample : samples_) {
    if (sample.t_ms < steps_[step].at_ms) last = &sample;
  }
  return *last;
}

const Sample& Series::BeforeKill() const {
  for (size_t i = 1; i < samples_.size(); ++i) {
    if (samples_[i].oom_kills > samples_[i - 1].oom_kills) return samples_[i - 1];
  }
  return samples_.back();
}

const Sample& Series::Exhausted(size_t step) const {
  for (const Sample& sample : samples_) {
    if (sample.t_ms >= steps_[step].at_ms && sample.available_kib < kNearKib) return sample;
  }
  return samples_.back();
}

double Series::SecondsToTarget(size_t step) const {
  const int64_t target_kib = steps_[step].balloon_bytes / 1024;
  const int64_t end_ms = step + 1 < steps_.size() ? steps_[step + 1].at_ms : samples_.back().t_ms;
  for (const Sample& sample : samples_) {
    if (sample.t_ms < steps_[step].at_ms || sample.t_ms >= end_ms) continue;
    if (std::abs(sample.balloon_kib - target_kib) <= kNearKib) return SecondsFrom(step, sample);
  }
  return static_cast<double>(end_ms - steps_[step].at_ms) / 1e3;
}

double Series::SecondsFrom(size_t step, const Sample& sample) const {
  return static_cast<double>(sample.t_ms - steps_[step].at_ms) / 1e3;
}

double Series::StalledSeconds(const Sample& from, const Sample& to) {
  return static_cast<double>(to.some_us - from.some_us) / 1e6;
}

double Series::RefaultedMib(const Sample& from, const Sample& to) {
  return Mib((to.refaulted_pages - from.refaulted_pages) * kPageKib);
}

const Sample& Series::Earlier(const Sample& sample, double seconds) const {
  const Sample* last = &samples_.front();
  for (const Sample& other : samples_) {
    if (static_cast<double>(sample.t_ms - other.t_ms) / 1e3 >= seconds) last = &other;
  }
  return *last;
}

}  // namespace ballast::calibration
