// gRPC's own timers: keepalives and the deadlines of calls. Its library keeps a thread for them that wakes
// two or three times a second whether one is due or not, and that is half of what an agent at rest would
// cost.
#pragma once

#include "common/base/time.h"

namespace ballast::agent {

// While it lives there is no such thread, and due timers run when they are told to. Where gRPC's library does
// not let that be done it goes on by itself. One in a process, after gRPC was started.
class GrpcTimers {
 public:
  // How long a timer may be late. A connection whose peer is silent is found out within 25 s instead of 15.
  static constexpr Nanos kTurn = Seconds(5);

  GrpcTimers();
  ~GrpcTimers();
  GrpcTimers(const GrpcTimers&) = delete;
  GrpcTimers& operator=(const GrpcTimers&) = delete;

  void RunDue();
};

}  // namespace ballast::agent
