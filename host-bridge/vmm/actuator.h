// One VM's memory controls, whatever its VMM. Calls return at once; results arrive through the observer, on
// the actuator's own thread, never from inside Start or SetBalloon. A VMM's "success" means "recorded" only:
// what really happened is in later readings.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "common/base/sampled.h"
#include "common/base/units.h"
#include "host-bridge/policy/snapshot.h"
#include "host-bridge/vmm/balloon_statistics.h"

namespace ballast::vmm {

// What happened to one command.
struct Receipt {
  uint64_t id = 0;  // the caller's, from SetBalloon
  BalloonBytes target;
  absl::Status status;       // OK: the VMM recorded it. DEADLINE_EXCEEDED: it may or may not have.
  MonotonicTime written_at;  // when the last byte of the command was handed to the kernel; {0} when never
  MonotonicTime done_at;
  bool dry_run = false;  // nothing was sent: see dry_run_actuator.h
};

enum class LinkState { kConnecting, kReady, kFailed };

// Something the VM went through that policy must know.
enum class Lifecycle { kReset, kPaused, kResumed, kShutdown };

class ActuatorObserver {
 public:
  virtual ~ActuatorObserver() = default;
  // A fresh reading (by event, by poll or after a command).
  virtual void OnReading(const Sampled<policy::VmmReading>& reading) = 0;
  virtual void OnReceipt(const Receipt& receipt) = 0;
  // Called on change only. kFailed carries what went wrong; the actuator goes on trying by itself.
  virtual void OnLink(LinkState state, const absl::Status& why) = 0;
  virtual void OnLifecycle(Lifecycle event) = 0;
  // Only from actuators whose VMM has them, and when asked for.
  virtual void OnStatistics(const Sampled<BalloonStatistics>& /*statistics*/) {}
};

class Actuator {
 public:
  virtual ~Actuator() = default;  // no observer call is running or follows once it returns
  virtual void Start() = 0;
  // Ask for a balloon of this size. One command is in flight at a time; a newer target replaces one that
  // waits.
  virtual void SetBalloon(uint64_t id, BalloonBytes target) = 0;
};

}  // namespace ballast::vmm
