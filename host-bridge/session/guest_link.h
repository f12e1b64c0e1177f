// What the control loop may tell a session about its guest.
#pragma once

namespace ballast::session {

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
};

}  // namespace ballast::session
