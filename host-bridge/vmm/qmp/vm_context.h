// What the parts of one QmpVm share. All of it belongs to the I/O thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <utility>

#include "common/os/clock.h"
#include "host-bridge/vmm/actuator.h"
#include "host-bridge/vmm/memory_devices.h"
#include "host-bridge/vmm/observer_gate.h"
#include "host-bridge/vmm/qmp/qmp_client.h"
#include "host-bridge/vmm/qmp/qmp_options.h"

namespace ballast::vmm::qmp {

struct VmContext {
  // `device_observer` may be nullptr: nobody listens.
  VmContext(boost::asio::io_context& io_thread, const Clock& clock_of_all, ActuatorObserver& observer,
            DeviceObserver* device_observer, QmpOptions how)
      : io(io_thread),
        clock(clock_of_all),
        options(std::move(how)),
        gate(&observer),
        device_gate(device_observer) {}

  boost::asio::io_context& io;
  const Clock& clock;
  const QmpOptions options;
  ObserverGate<ActuatorObserver> gate;
  ObserverGate<DeviceObserver> device_gate;
  std::shared_ptr<Client> client;
};

}  // namespace ballast::vmm::qmp
