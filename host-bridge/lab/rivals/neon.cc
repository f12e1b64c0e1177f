#include "host-bridge/lab/rivals/neon.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <vector>

#include "host-bridge/lab/rivals/sizes.h"

namespace ballast::sim {
namespace {

constexpr Nanos kSampleEvery = Milliseconds(100);
constexpr Nanos kMeanOf = Milliseconds(500);
constexpr Nanos kRequestEvery = Seconds(1);
constexpr Nanos kRequestLasts = Seconds(10);
constexpr Nanos kMetricsEvery = Seconds(5);
constexpr Nanos kStale = Seconds(5);
constexpr int64_t kThresholdPercent = 85;
constexpr int64_t kGoalPercent = 75;
constexpr int64_t kShrinkReserve = 100 * kMiB;
constexpr int64_t kMostUnit = kGiB;
constexpr int64_t kBlock = 8 * kMiB;

struct Reading {
  MonotonicTime at;
  int64_t total = 0;
  int64_t used = 0;
};

std::optional<Reading> Newest(const GuestSight& guest) {
  std::optional<Reading> newest;
  if (guest.total_bytes > 0 && guest.available_bytes >= 0) {
    newest = {guest.stats_at, guest.total_bytes, guest.total_bytes - guest.available_bytes};
  }
  if (guest.report && guest.report->value.total_bytes > 0 && (!newest || guest.report->at > newest->at)) {
    const policy::GuestReading& reading = guest.report->value;
    newest = {guest.report->at, reading.total_bytes,
              reading.total_bytes - std::clamp<int64_t>(reading.available_bytes, 0, reading.total_bytes)};
  }
  if (newest) {
    newest->total = std::min(newest->total, BootBytes(guest));
    newest->used = std::clamp<int64_t>(newest->used, 0, newest->total);
  }
  return newest;
}

// The monitor of one guest and what the node's agent knows of it.
struct Vm {
  explicit Vm(int64_t boot_bytes) : size(boot_bytes) {}

  int64_t size = 0;  // as last asked of the VMM
  std::deque<Reading> samples;
  std::optional<MonotonicTime> sampled_at;
  std::optional<MonotonicTime> requested_at;
  std::optional<MonotonicTime> metrics_at;
  int64_t goal = 0;  // by the metrics
};

class Neon final : public Controller {
 public:
  explicit Neon(const WorldPlan& plan) {
    for (const GuestPlan& guest : plan.guests) vms_.emplace_back(guest.boot_bytes);
  }

  // Together with the samples that ring: a shortage is noticed within 0.1 to 0.6 s, as there.
  Nanos period() const override { return kMeanOf; }
  bool event_driven() const override { return true; }

  void Look(const WorldSight& sight, std::vector<Command>& commands) override {
    rest_ = true;
    for (size_t i = 0; i < sight.guests.size() && i < vms_.size(); ++i) {
      const GuestSight& guest = sight.guests[i];
      if (IsNewVmm(guest)) vms_[i] = Vm(guest.plan->boot_bytes);
      if (!IsDriven(guest)) continue;
      const std::optional<Reading> reading = Newest(guest);
      if (!reading) continue;
      Watch(*reading, sight.now, vms_[i]);
      const int64_t size = Next(guest, *reading, sight, vms_[i]);
      if (size == vms_[i].size) continue;
      vms_[i].size = size;
      CommandSize(sight, i, size, commands);
      rest_ = false;
    }
  }

  bool at_rest() const override { return rest_; }

 private:
  static int64_t UnitOf(const GuestSight& guest) {
    const int64_t eighth = BootBytes(guest) / 8;
    return std::clamp(eighth - eighth % kBlock, kBlock, kMostUnit);
  }

  // The guest's side: samples, and the request for more.
  void Watch(const Reading& reading, MonotonicTime now, Vm& vm) {
    if (vm.sampled_at && now - *vm.sampled_at < kSampleEvery) return;
    vm.sampled_at = now;
    vm.samples.push_back({now, reading.total, reading.used});
    while (now - vm.samples.front().at >= kMeanOf) vm.samples.pop_front();
    int64_t used = 0;
    for (const Reading& sample : vm.samples) used += sample.used;
    used /= std::ssize(vm.samples);
    const int64_t threshold = MulDiv(reading.total, kThresholdPercent, 100);
    if (reading.used >= threshold) rest_ = false;  // the mean follows
    if (used < threshold) return;
    if (vm.requested_at && now - *vm.requested_at < kRequestEvery) return;
    vm.requested_at = now;
    vm.goal = std::max(vm.goal, vm.size + 1);  // any part of a unit more
  }

  // The node's side: at most one unit towards the goal.
  int64_t Next(const GuestSight& guest, const Reading& reading, const WorldSight& sight, Vm& vm) {
    const int64_t unit = UnitOf(guest);
    const bool tick = !vm.metrics_at || sight.now - *vm.metrics_at >= kMetricsEvery;
    if (tick) {
      vm.metrics_at = sight.now;
      const int64_t wanted = MulDiv(reading.used, 100, kGoalPercent);
      vm.goal = (wanted + unit - 1) / unit * unit;
      const bool asked = vm.requested_at && sight.now - *vm.requested_at < kRequestLasts;
      if (asked) vm.goal = std::max(vm.goal, vm.size);
    }
    const int64_t goal = std::clamp(vm.goal, PlanFloor(*guest.plan), BootBytes(guest));
    if (goal > vm.size) {
      const int64_t size = std::min(vm.size + unit, BootBytes(guest));
      return Permitted(sight, size - vm.size) ? size : vm.size;
    }
    if (goal < vm.size && Agrees(reading, unit, sight.now, vm)) {
      rest_ = false;
      if (!tick) return vm.size;
      return std::max({vm.size - unit, goal, PlanFloor(*guest.plan)});
    }
    return vm.size;
  }

  static bool Agrees(const Reading& reading, int64_t unit, MonotonicTime now, const Vm& vm) {
    if (vm.samples.empty() || now - reading.at > kStale) return false;
    return MulDiv(reading.total - unit, kThresholdPercent, 100) >= reading.used + kShrinkReserve;
  }

  bool Permitted(const WorldSight& sight, int64_t more) const {
    int64_t sizes = more;
    for (size_t i = 0; i < sight.guests.size() && i < vms_.size(); ++i) {
      if (sight.guests[i].running) sizes += vms_[i].size;
    }
    return sizes <= sight.host.total_bytes;
  }

  bool rest_ = true;
  std::vector<Vm> vms_;
};

}  // namespace

std::unique_ptr<Controller> MakeNeon(const WorldPlan& plan) { return std::make_unique<Neon>(plan); }

}  // namespace ballast::sim
