// The memory controls of one QEMU process, through its monitor (QMP): its balloon and its memory devices. A
// monitor serves one client, so both are one object.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "common/os/clock.h"
#include "host-bridge/vmm/actuator.h"
#include "host-bridge/vmm/memory_devices.h"
#include "host-bridge/vmm/qmp/qmp_options.h"

namespace ballast::vmm::qmp {

// Threads: all methods may be called from any; the observers are called on the thread that runs `io`, which
// may serve many VMs. To send a target costs one wake-up of that thread and one write.
class QmpVm final : public Actuator, public MemoryDevices {
 public:
  // `io` and `clock` outlive this object. The observers need to live only as long as this object;
  // `device_observer` may be nullptr: then nobody is told of devices, and nobody should order any.
  QmpVm(boost::asio::io_context& io, const Clock& clock, ActuatorObserver& observer,
        DeviceObserver* device_observer, QmpOptions options);
  // May be called on any thread, from inside an observer's method too, and whether `io` still runs or not. Do
  // not hold a lock that the observers' methods take.
  ~QmpVm() override;
  QmpVm(const QmpVm&) = delete;
  QmpVm& operator=(const QmpVm&) = delete;

  void Start() override;
  // Receipts: OK (QEMU recorded it, with the memory it has now), INVALID_ARGUMENT (not within 0..base-1),
  // ABORTED (a newer target replaced it before it was sent), UNAVAILABLE (not connected, or the connection
  // was lost), DEADLINE_EXCEEDED, or QEMU's own refusal. Nothing is sent again after a reconnect. While a
  // DIMM is being added (milliseconds) a target waits.
  void SetBalloon(uint64_t id, BalloonBytes target) override;

  // Receipts as in memory_devices.h; UNKNOWN is a refusal of QEMU's that says nothing more. Orders that wait
  // when the connection is lost are UNAVAILABLE; an unplug whose guest has been asked lives on and is settled
  // by what the next connection shows: gone is OK, still there UNAVAILABLE.
  // The new DIMM is ballast-dimm-N on ballast-mem-N, memory shared and of huge pages if the boot memory is.
  void SetGuestBlock(int64_t bytes) override;
  void Plug(uint64_t id, int64_t bytes) override;
  // Only a DIMM of Ballast's; others are INVALID_ARGUMENT.
  void Unplug(uint64_t id, const std::string& device, Nanos deadline) override;
  void Request(uint64_t id, const std::string& device, int64_t bytes) override;
  void RemoveOrphans(uint64_t id) override;

 private:
  class Core;
  boost::asio::io_context& io_;
  std::shared_ptr<Core> core_;
};

}  // namespace ballast::vmm::qmp
