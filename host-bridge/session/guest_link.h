// What the control loop may tell a session about its guest.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/time.h"
#include "host-bridge/observe/blocks.h"

namespace ballast::session {

// To a request that SessionObserver::OnMemoryRequest told of.
struct MemoryAnswer {
  int64_t request = 0;        // its id
  int64_t granted_bytes = 0;  // commanded
  Nanos eta;                  // until they have all arrived
  std::string reason = {};    // why not all of it; empty: all
  std::string actuator = {};  // "balloon", "virtio-mem", "dimm"; empty: none
};

// A stopped guest cannot answer, and a VMM's vsock may break on what is sent to it meanwhile
// (vhost-device-vsock 0.3 loses its worker thread over one dial). So a held link is left exactly as it is: no
// dial, no close, no message.
class GuestLink {
 public:
  virtual ~GuestLink() = default;
  // The guest stopped running / runs again. From any thread.
  virtual void Hold() = 0;
  virtual void Release() = 0;
  // The guest was reset: its end of the connection is gone without a word, and its vsock comes back when its
  // driver does. The link is held for that long, then made anew.
  virtual void Renew() = 0;
  // Tells a tool of the guest what it gets. Sent once, and lost with the connection: the asker has a
  // deadline.
  virtual void Answer(const MemoryAnswer& answer) = 0;
  // Has the agent carry out an order about memory blocks; SessionObserver::OnBlocks gets the receipt, also
  // where there is no link to send it over (UNAVAILABLE).
  virtual void Order(const observe::BlockOrder& order) = 0;
  // Has the agent stop carrying that one out and undo what is half done. The receipt (UNAVAILABLE, unless it
  // was faster) still comes. A held link is left alone.
  virtual void CallOff(uint64_t order) = 0;
};

}  // namespace ballast::session
