// The balloon of one QEMU process, through its monitor (QMP).
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "common/os/clock.h"
#include "host-bridge/vmm/actuator.h"
#include "host-bridge/vmm/qmp/backoff.h"

namespace ballast::vmm::qmp {

struct QmpOptions {
  std::string name;         // the VM's
  std::string socket_path;  // of a -qmp unix socket that is Ballast's alone: a monitor serves one client
  Nanos command_timeout = Seconds(2);
  Nanos greeting_timeout = Seconds(5);
  BackoffLimits backoff;
  // BALLOON_CHANGE comes at most once a second, and the last one late: this poll is the safety net.
  Nanos poll_interval = Seconds(5);
  std::string host_root;      // put before /proc, where QEMU's resident memory is read
  Nanos statistics_interval;  // of the balloon driver's statistics; 0: not asked for, else 1 s and more
};

// Threads: SetBalloon and Start may be called from any; the observer is called on the thread that runs `io`,
// which may serve many VMs. To send a target costs one wake-up of that thread and one write.
class QmpActuator final : public Actuator {
 public:
  // `io` and `clock` outlive this object. `observer` needs to live only as long as this object.
  QmpActuator(boost::asio::io_context& io, const Clock& clock, ActuatorObserver& observer,
              QmpOptions options);
  // May be called on any thread, from inside an observer's method too, and whether `io` still runs or not. Do
  // not hold a lock that the observer's methods take.
  ~QmpActuator() override;
  QmpActuator(const QmpActuator&) = delete;
  QmpActuator& operator=(const QmpActuator&) = delete;

  void Start() override;
  // Receipts: OK (QEMU recorded it, with the memory it has now), INVALID_ARGUMENT (not within 0..base-1),
  // ABORTED (a newer target replaced it before it was sent), UNAVAILABLE (not connected, or the connection
  // was lost), DEADLINE_EXCEEDED, or QEMU's own refusal. Nothing is sent again after a reconnect.
  void SetBalloon(uint64_t id, BalloonBytes target) override;

 private:
  class Core;
  boost::asio::io_context& io_;
  std::shared_ptr<Core> core_;
};

}  // namespace ballast::vmm::qmp
