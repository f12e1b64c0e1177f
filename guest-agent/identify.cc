#include "guest-agent/identify.h"

#include <unistd.h>

#include <ctime>
#include <utility>

namespace ballast::agent {
namespace {

// Differs between starts even when a guest's clock was set back: time and process id.
uint64_t NewGeneration() {
  return static_cast<uint64_t>(::time(nullptr)) << 22 | (static_cast<uint64_t>(::getpid()) & 0x3fffff);
}

}  // namespace

AgentIdentity Identify(const FileReader& files, const Sensors& sensors, const OomWatch& oom,
                       std::string trigger_reason) {
  AgentIdentity identity{.version = BALLAST_VERSION,
                         .generation = NewGeneration(),
                         .machine = ReadMachineFacts(files),
                         .capabilities = {},
                         .sources = oom.Sources(),
                         .self_checks = {}};
  identity.capabilities.assign(sensors.Capabilities().begin(), sensors.Capabilities().end());
  identity.capabilities.push_back({"psi_trigger", std::move(trigger_reason)});
  identity.capabilities.push_back({"bpf", oom.BpfReason()});
  identity.capabilities.push_back({"kmsg", oom.KmsgReason()});
  identity.capabilities.push_back({"memory_watch", oom.MemoryReason()});
  return identity;
}

}  // namespace ballast::agent
