// What a session tells the control loop. Called from the I/O thread and from the call queue's thread;
// implementations only hand values over and return at once.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "common/base/sampled.h"
#include "host-bridge/observe/blocks.h"
#include "host-bridge/policy/oom_verdict.h"
#include "host-bridge/policy/snapshot.h"

namespace ballast::session {

// Who answered: a change of boot id is a reboot of the guest, of the generation alone a restart of the agent.
struct AgentIdentity {
  std::string boot_id;
  uint64_t generation = 0;
  std::string agent_version;
  std::string kernel_release;
  int64_t block_bytes = 0;  // of its memory blocks, a power of two; 0: it has none, or did not say
  std::string lacks;  // what the agent cannot see, "psi: not built into the kernel; ..."; empty: nothing

  friend bool operator==(const AgentIdentity&, const AgentIdentity&) = default;
};

enum class SessionState { kConnecting, kConnected, kFailed };

// Something that happened in the guest, told at once.
struct GuestEvent {
  enum class Kind {
    kOomKill,
    kPressureTrigger,
    kBalloonShrank,
    kOomBegins,
    kReclaimStall,
    kBlocksChanged
  } kind = Kind::kOomKill;
  int64_t amount = 0;  // kills; microseconds stalled; bytes; 1 for a cgroup, 0 for the guest; microseconds;
                       // ranges, 0 for too many
};

class SessionObserver {
 public:
  virtual ~SessionObserver() = default;
  virtual void OnIdentity(const AgentIdentity& identity) = 0;
  // An accepted report, stamped with the host's clock at arrival. `urgent`: the guest is pressed or worse.
  virtual void OnReport(const Sampled<policy::GuestReading>& reading, bool urgent) = 0;
  // A report that was not believed, and why.
  virtual void OnRejected(const absl::Status& why) = 0;
  virtual void OnEvent(const GuestEvent& event) = 0;
  // Each verdict of an agent once, also over several connections.
  virtual void OnVerdict(const policy::OomVerdict& verdict) = 0;
  // A tool of the guest waits for an answer (GuestLink::Answer). `asker` is what it calls itself.
  virtual void OnMemoryRequest(const policy::MemoryRequest& request, const std::string& asker) = 0;
  // To each GuestLink::Order, once.
  virtual void OnBlocks(const observe::BlockReceipt& receipt) = 0;
  // On change only. kFailed says why; the session goes on trying by itself.
  virtual void OnSession(SessionState state, const absl::Status& why) = 0;
};

}  // namespace ballast::session
