// How one QEMU process is reached and how often it is looked at.
#pragma once

#include <string>

#include "common/base/time.h"
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

}  // namespace ballast::vmm::qmp
