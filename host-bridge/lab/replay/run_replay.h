// `ballast-lab replay JOURNAL`, without its command line.
#pragma once

#include <ostream>
#include <string>

#include "host-bridge/lab/replay/replay.h"

namespace ballast::replay {

struct ReplayOptions {
  std::string journal;  // the file
  // `request.change_policy` carries --policy KEY=VALUE (laid over the recorded policy) or another
  // bridge.conf's [policy] (in its place); the caller knows the configuration's keys, this folder does not.
  ReplayRequest request;
};

// Writes the report to `out`, faults to `err`. The exit code: 0 everything as recorded, or another policy was
// replayed; 1 the recorded policy did not give the recorded decisions; 2 the journal, or some of it, cannot
// be read, or the policy is invalid. A journal that is merely cut short (its bridge was killed) is no fault.
[[nodiscard]] int RunReplay(const ReplayOptions& options, std::ostream& out, std::ostream& err);

}  // namespace ballast::replay
