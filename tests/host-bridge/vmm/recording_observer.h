// Keeps everything an actuator reports, and waits for what a test is about.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "host-bridge/vmm/actuator.h"
#include "host-bridge/vmm/memory_devices.h"

namespace ballast::vmm {

// What came so far, in order.
struct Recorded {
  std::vector<Sampled<policy::VmmReading>> readings;
  std::vector<Receipt> receipts;
  std::vector<std::pair<LinkState, absl::Status>> links;
  std::vector<Lifecycle> lifecycle;
  std::vector<BalloonStatistics> statistics;
  std::vector<DeviceReading> devices;
  std::vector<DeviceReceipt> device_receipts;
};

class RecordingObserver : public ActuatorObserver, public DeviceObserver {
 public:
  void OnReading(const Sampled<policy::VmmReading>& reading) override {
    Record([&] { recorded_.readings.push_back(reading); });
  }
  void OnReceipt(const Receipt& receipt) override {
    Record([&] { recorded_.receipts.push_back(receipt); });
  }
  void OnLink(LinkState state, const absl::Status& why) override {
    Record([&] { recorded_.links.emplace_back(state, why); });
  }
  void OnLifecycle(Lifecycle event) override {
    Record([&] { recorded_.lifecycle.push_back(event); });
  }
  void OnStatistics(const Sampled<BalloonStatistics>& statistics) override {
    Record([&] { recorded_.statistics.push_back(statistics.value); });
  }
  void OnDevices(const Sampled<DeviceReading>& reading) override {
    Record([&] { recorded_.devices.push_back(reading.value); });
  }
  void OnDeviceReceipt(const DeviceReceipt& receipt) override {
    Record([&] { recorded_.device_receipts.push_back(receipt); });
  }

  [[nodiscard]] Recorded All() const {
    const std::lock_guard lock(mutex_);
    return recorded_;
  }
  // True as soon as `done` holds; false when it does not within 10 s.
  [[nodiscard]] bool WaitUntil(const std::function<bool(const Recorded&)>& done) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return done(recorded_); });
  }
  [[nodiscard]] bool WaitForLink(LinkState state) const {
    return WaitUntil(
        [state](const Recorded& all) { return !all.links.empty() && all.links.back().first == state; });
  }
  [[nodiscard]] bool WaitForLinkChanges(size_t count) const {
    return WaitUntil([count](const Recorded& all) { return all.links.size() >= count; });
  }
  // The receipt of this command; its status says so when none came.
  [[nodiscard]] Receipt WaitForReceipt(uint64_t id) const {
    std::optional<Receipt> found;
    (void)WaitUntil([&](const Recorded& all) {
      for (const Receipt& receipt : all.receipts) {
        if (receipt.id == id) found = receipt;
      }
      return found.has_value();
    });
    return found.value_or(Receipt{id, {}, absl::InternalError("the test waited in vain"), {}, {}});
  }
  // The same for an order about memory devices.
  [[nodiscard]] DeviceReceipt WaitForDeviceReceipt(uint64_t id) const {
    std::optional<DeviceReceipt> found;
    (void)WaitUntil([&](const Recorded& all) {
      for (const DeviceReceipt& receipt : all.device_receipts) {
        if (receipt.id == id) found = receipt;
      }
      return found.has_value();
    });
    return found.value_or(DeviceReceipt{id, absl::InternalError("the test waited in vain"), ""});
  }

 private:
  void Record(const std::function<void()>& change) {
    {
      const std::lock_guard lock(mutex_);
      change();
    }
    changed_.notify_all();
  }

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  Recorded recorded_;
};

}  // namespace ballast::vmm
