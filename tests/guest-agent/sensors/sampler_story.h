// A guest for tests of the sampler, told as a story: how MemAvailable goes over time.
#pragma once

#include <algorithm>
#include <functional>

#include "guest-agent/sensors/sampler.h"

namespace ballast::agent {

constexpr int64_t kTotal = kGiB;
constexpr MonotonicTime kStart{1'000'000'000'000};

inline SamplerConfig Config() { return {}; }

// A guest on a fake timeline: the plan decides when it is looked at.
class Story {
 public:
  explicit Story(const SamplerConfig& config = Config()) : plan_(config) { sample_.total_bytes = kTotal; }

  Sample& Facts() { return sample_; }
  MonotonicTime Now() const { return now_; }
  Nanos Elapsed() const { return now_ - kStart; }

  Step Look() {
    sample_.at = now_;
    last_ = plan_.Next(sample_);
    sample_.trigger_fired = false;
    ++looks_;
    reports_ += last_.report_now ? 1 : 0;
    return last_;
  }

  // Looks as often as the plan asks while MemAvailable follows `available` (of the time since now), until the
  // span is over or `enough` says so.
  Step Play(
      Nanos span, const std::function<int64_t(Nanos)>& available,
      const std::function<bool(const Step&)>& enough = [](const Step&) { return false; }) {
    const MonotonicTime from = now_;
    while (true) {
      sample_.available_bytes = available(now_ - from);
      const Step step = Look();
      if (enough(step) || now_ - from >= span) return step;
      now_ = now_ + step.next_sample_in;
    }
  }
  void Pass(Nanos span) { now_ = now_ + span; }
  int Looks() const { return looks_; }
  int Reports() const { return reports_; }

 private:
  SamplePlan plan_;
  Sample sample_;
  MonotonicTime now_ = kStart;
  Step last_;
  int looks_ = 0;
  int reports_ = 0;
};

inline std::function<int64_t(Nanos)> Flat(int64_t bytes) {
  return [bytes](Nanos) { return bytes; };
}

inline std::function<int64_t(Nanos)> Falling(int64_t from, int64_t bytes_per_second) {
  return
      [=](Nanos t) { return std::max<int64_t>(from - bytes_per_second / 1'000'000 * (t.count / 1'000), 0); };
}

}  // namespace ballast::agent
