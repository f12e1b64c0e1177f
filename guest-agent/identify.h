// Who this agent is, from what was found when it started.
#pragma once

#include <string>

#include "common/os/file_reader.h"
#include "guest-agent/oom/oom_watch.h"
#include "guest-agent/sensors/sensors.h"
#include "guest-agent/service/watch_facts.h"

namespace ballast::agent {

// `trigger_reason`: why there is no PSI trigger; empty: there is one.
[[nodiscard]] AgentIdentity Identify(const FileReader& files, const Sensors& sensors, const OomWatch& oom,
                                     std::string trigger_reason);

}  // namespace ballast::agent
