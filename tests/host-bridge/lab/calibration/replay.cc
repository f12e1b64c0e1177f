#include "tests/host-bridge/lab/calibration/replay.h"

#include <algorithm>
#include <cstdlib>

#include "common/base/units.h"
#include "host-bridge/lab/model/guest_model.h"

namespace ballast::calibration {
namespace {

constexpr int64_t kPeriodMs = 10;
constexpr int64_t kBootSeconds = 5;
// Below this part of the boot memory free memory may have to be reclaimed for, which is no longer the
// device's speed.
constexpr int64_t kScarcePart = 12;

const Sample& At(const Recording& recording, int64_t t_ms) {
  const Sample* last = &recording.samples.front();
  for (const Sample& sample : recording.samples) {
    if (sample.t_ms <= t_ms) last = &sample;
  }
  return *last;
}

int64_t EndOf(const Recording& recording, size_t step) {
  return step + 1 < recording.steps.size() ? recording.steps[step + 1].at_ms : recording.samples.back().t_ms;
}

// Bytes per second of one column from its first movement after a step to the middle of its way, as far as
// that went with plenty of free memory; 0 when it did not move.
int64_t SpeedAfter(const Recording& recording, size_t step, int64_t Sample::*column, int64_t way_kib) {
  const int64_t from = At(recording, recording.steps[step].at_ms).*column;
  const Sample* first = nullptr;
  const Sample* last = nullptr;
  for (const Sample& sample : recording.samples) {
    if (sample.t_ms < recording.steps[step].at_ms || sample.t_ms >= EndOf(recording, step)) continue;
    const bool plenty = sample.free_kib * kKiB > recording.memory_bytes / kScarcePart;
    const int64_t gone = std::abs(sample.*column - from);
    if (!plenty || gone > way_kib / 2) break;
    if (gone > 0) last = &sample;
    if (first == nullptr) first = last;
  }
  if (first == last) return 0;
  return std::abs(last->*column - first->*column) * kKiB * 1'000 / (last->t_ms - first->t_ms);
}

// What the guest holds at rest beyond the model's kernel.
int64_t AtRest(const Recording& recording, const sim::GuestModel& model) {
  const Sample& rest = recording.samples.front();
  const int64_t used = (rest.total_kib - rest.free_kib - rest.file_kib) * kKiB;
  return std::max<int64_t>(0, used - model.memory().kernel());
}

Sample SampleOf(const sim::GuestModel& guest, int64_t t_ms) {
  return {.t_ms = t_ms,
          .balloon_kib = guest.memory().balloon() / kKiB,
          .total_kib = guest.total() / kKiB,
          .free_kib = guest.memory().free() / kKiB,
          .available_kib = guest.available() / kKiB,
          .file_kib = guest.memory().cache() / kKiB,
          .anon_kib = guest.memory().anon() / kKiB,
          .swapped_kib = guest.memory().swapped() / kKiB,
          .refaulted_pages = guest.counters().refaulted_bytes / (4 * kKiB),
          .some_us = guest.counters().stalled_ns / 1'000,
          .oom_kills = guest.counters().oom_kills};
}

void Play(const Recording& recording, size_t step, int64_t at_rest, sim::GuestModel& guest) {
  const Step& played = recording.steps[step];
  if (played.is_balloon) {
    guest.SetTarget(played.balloon_bytes);
    return;
  }
  sim::Segment programs = played.programs;
  const int64_t speed = SpeedAfter(recording, step, &Sample::anon_kib, programs.anon_bytes / kKiB);
  if (speed > 0) programs.anon_bytes_per_second = std::min(programs.anon_bytes_per_second, speed);
  programs.anon_bytes += at_rest;
  guest.StartSegment(programs);
}

}  // namespace

sim::DeviceSpec DeviceOf(const Recording& recording) {
  sim::DeviceSpec device;
  device.deflate_on_oom = recording.deflate_on_oom;
  bool took = false;
  bool gave = false;
  for (size_t i = 0; i < recording.steps.size(); ++i) {
    if (!recording.steps[i].is_balloon) continue;
    const int64_t way_kib =
        recording.steps[i].balloon_bytes / kKiB - At(recording, recording.steps[i].at_ms).balloon_kib;
    bool& seen = way_kib > 0 ? took : gave;
    if (seen) continue;
    const int64_t speed = SpeedAfter(recording, i, &Sample::balloon_kib, std::abs(way_kib));
    if (speed == 0) continue;
    seen = true;
    (way_kib > 0 ? device.take_bytes_per_second : device.give_bytes_per_second) = speed;
  }
  return device;
}

std::vector<Sample> Replay(const Recording& recording) {
  sim::GuestModel guest({.boot_bytes = recording.memory_bytes,
                         .zram_bytes = recording.zram_bytes,
                         .device = DeviceOf(recording)});
  guest.Boot();
  const int64_t at_rest = AtRest(recording, guest);
  guest.StartSegment({.anon_bytes = at_rest});
  guest.Advance(Seconds(kBootSeconds));
  std::vector<Sample> samples;
  size_t next = 0;
  for (int64_t t_ms = 0; t_ms <= recording.samples.back().t_ms; t_ms += kPeriodMs) {
    for (; next < recording.steps.size() && recording.steps[next].at_ms <= t_ms; ++next) {
      Play(recording, next, at_rest, guest);
    }
    Sample sample = SampleOf(guest, t_ms);
    sample.anon_kib -= at_rest / kKiB;
    samples.push_back(sample);
    guest.Advance(Milliseconds(kPeriodMs));
  }
  return samples;
}

}  // namespace ballast::calibration
