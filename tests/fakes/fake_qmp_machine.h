// The VM behind FakeQmp: memory, balloon and the answers to commands. Not thread-safe; time is a parameter.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.h"
#include "common/base/units.h"
#include "tests/fakes/fake_memory_devices.h"

namespace ballast::fakes {

struct FakeQmpOptions;

class FakeMachine {
 public:
  FakeMachine(const FakeQmpOptions& options, MonotonicTime now);

  // The answer without its id: "\"return\": ..." or "\"error\": ...".
  std::string Execute(const std::string& command, const boost::json::value& arguments, MonotonicTime now);
  static std::string Refusal(std::string_view error_class, std::string_view description);

  void SetRunning(bool running);
  void Reset();
  void Shutdown();
  void AddDimm(int64_t bytes, bool announce);
  void AddDimmBeforeNextBalloon(int64_t bytes) { surprise_dimm_ = bytes; }
  void SetActual(BalloonBytes balloon, MonotonicTime now);
  void ShrinkBalloon(int64_t bytes, MonotonicTime now);
  void SetSpeed(std::optional<int64_t> bytes_per_second, MonotonicTime now);

  [[nodiscard]] FakeMemoryDevices& devices() { return devices_; }
  [[nodiscard]] BalloonBytes Actual(MonotonicTime now) const;
  [[nodiscard]] BalloonBytes Target() const { return target_; }

  // When TakeEvents may have something new; absent: not before somebody does something.
  [[nodiscard]] std::optional<MonotonicTime> NextEventDue(MonotonicTime now) const;
  // The events due by now, framed. BALLOON_CHANGE: the first at once, then the latest value after the
  // interval.
  std::string TakeEvents(MonotonicTime now);

 private:
  [[nodiscard]] int64_t Base() const;
  std::string SetBalloon(const boost::json::value& arguments, MonotonicTime now);
  // Lets the balloon stand where it is at `now`, so that a change of its course starts from there.
  void Settle(MonotonicTime now);
  void Announce(std::string_view name, std::string_view data);

  int64_t boot_bytes_;
  bool has_balloon_;
  bool emulated_;
  FakeMemoryDevices devices_;
  std::optional<int64_t> speed_;
  Nanos event_interval_;
  int64_t surprise_dimm_ = 0;
  bool running_ = true;
  BalloonBytes target_;
  BalloonBytes settled_;  // the balloon at settled_at_, on its way to target_ since then
  MonotonicTime settled_at_;
  BalloonBytes announced_;
  std::optional<MonotonicTime> announced_at_;
  std::string events_;
};

}  // namespace ballast::fakes
